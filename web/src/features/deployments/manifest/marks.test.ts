import { describe, expect, it } from "vitest";
import { marksOf, pathSegments } from "./marks";

const yaml = `apiVersion: machinelearning.seldon.io/v1
metadata:
  name: iris
  annotations:
    seldon.io/no-engine: "true"
spec:
  predictors:
  - name: default
    graph: {name: model, modelUri: ""}
  - name: canary
    traffic: 10
`;

describe("pathSegments", () => {
  it("splits names, indexes and keys with dots", () => {
    expect(pathSegments("spec.predictors[1].graph.modelUri")).toEqual([
      "spec",
      "predictors",
      1,
      "graph",
      "modelUri",
    ]);
    expect(pathSegments("metadata.annotations[seldon.io/no-engine]")).toEqual([
      "metadata",
      "annotations",
      "seldon.io/no-engine",
    ]);
    expect(pathSegments("")).toEqual([]);
  });
});

describe("marksOf", () => {
  const lineOf = (path: string) => marksOf(yaml, [{ path, message: "wrong" }])[0]?.line;

  it("finds the line of a path", () => {
    expect(lineOf("metadata.name")).toBe(3);
    expect(lineOf("metadata.annotations[seldon.io/no-engine]")).toBe(5);
    expect(lineOf("spec.predictors[0].graph.modelUri")).toBe(9);
    expect(lineOf("spec.predictors[1]")).toBe(10);
    expect(lineOf("spec.predictors[1].traffic")).toBe(11);
  });

  it("takes the nearest that is there", () => {
    expect(lineOf("spec.predictors[1].graph.modelUri")).toBe(10);
    expect(lineOf("spec.protocol")).toBe(6);
    expect(lineOf("")).toBe(1);
  });

  it("believes the server's line before its own", () => {
    expect(marksOf(yaml, [{ path: "metadata.name", line: 8, message: "wrong" }])[0]?.line).toBe(8);
  });

  it("does not fail on what is not YAML", () => {
    expect(
      marksOf("a: [", [{ path: "a[0].b", message: "wrong" }], [{ path: "x", message: "odd" }]),
    ).toHaveLength(2);
  });
});
