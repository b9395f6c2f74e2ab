import { describe, expect, it } from "vitest";
import { bodyOfRows, irisExample } from "./example";
import { outputTable } from "./predict";

const SELDON = "/seldon/a/b/api/v1.0/predictions";

describe("outputTable", () => {
  it("reads matrices, vectors and tensors", () => {
    expect(outputTable('{"data":{"names":["t:0","t:1"],"ndarray":[[0.1,0.9]]}}')).toEqual({
      names: ["t:0", "t:1"],
      rows: [[0.1, 0.9]],
    });
    expect(outputTable('{"data":{"names":[],"ndarray":["yes","no"]}}')).toEqual({
      names: ["prediction"],
      rows: [["yes"], ["no"]],
    });
    expect(outputTable('{"data":{"names":[],"tensor":{"shape":[2,2],"values":[1,2,3,4]}}}')).toEqual({
      names: ["0", "1"],
      rows: [
        [1, 2],
        [3, 4],
      ],
    });
  });

  it("reads answers of V1 and V2", () => {
    expect(outputTable('{"predictions":[1,0]}')).toEqual({ names: ["prediction"], rows: [[1], [0]] });
    expect(outputTable('{"outputs":[{"name":"y","shape":[2,2],"data":[1,2,3,4]}]}')?.rows).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(outputTable('{"predictions":"none","outputs":[]}')).toBeUndefined();
  });

  it("is nothing for errors and other bodies", () => {
    expect(outputTable('{"status":{"code":400}}')).toBeUndefined();
    expect(outputTable("busy")).toBeUndefined();
    expect(outputTable("null")).toBeUndefined();
  });
});

const feature = (label: string) => ({
  name: `x.${label}`,
  label,
  group: "feature" as const,
  isShownAtFirst: true,
});

describe("bodyOfRows", () => {
  it("is a request with the features of the rows", () => {
    const columns = [
      { name: "status", label: "Status", group: "request", isShownAtFirst: true },
      ...["x0", "a b", "c", "d", "x9"].map(feature),
    ] as const;
    const row = { id: "r:0", requestId: "r", row: 0, values: { status: 200, "x.a b": 0.5, "x.d": 1 } };
    expect(
      JSON.parse(bodyOfRows(SELDON, [...columns], [row, { ...row, values: { "x.d": 2 } }]) ?? ""),
    ).toEqual({
      data: {
        names: ["a b", "c", "d"],
        ndarray: [
          [0.5, null, 1],
          [null, null, 2],
        ],
      },
    });
    expect(bodyOfRows(SELDON, [columns[0]], [row])).toBeUndefined();
  });

  it("has an example in the protocol of the path", () => {
    expect(JSON.parse(irisExample(SELDON)).data.ndarray).toHaveLength(2);
    expect(JSON.parse(irisExample("/seldon/a/b/v1/models/m:predict")).instances).toHaveLength(2);
    const [input] = JSON.parse(irisExample("/seldon/a/b/v2/models/m/infer")).inputs;
    expect(input).toMatchObject({ shape: [2, 4], datatype: "FP64" });
    expect(input.data).toHaveLength(2);
  });
});
