import { describe, expect, it } from "vitest";
import { describeColumns, formatValue, rowsOf } from "./columns";

type Page = Parameters<typeof rowsOf>[0];

const names = ["request_id", "time", "row", "latency", "y.t:0", "x.Sepal length", "x.b", "status"];

describe("describeColumns", () => {
  it("puts the request first, then features, then predictions, each in their order", () => {
    expect(
      describeColumns({ columns: names, rows: [] }).map((column) => `${column.group} ${column.label}`),
    ).toEqual([
      "request Time",
      "request Status",
      "request Latency",
      "request Request id",
      "request Instance",
      "feature Sepal length",
      "feature b",
      "output t:0",
    ]);
  });
});

describe("columns that are shown at first", () => {
  it("are those with values, but for the ids", () => {
    const page: Page = JSON.parse(
      `{"columns": ["time", "request_id", "error", "x.a", "x.x0"], "rows": [["t", "r", null, null, null], ["t", "r", null, 1, null]]}`,
    );
    const shown = describeColumns(page).filter((column) => column.isShownAtFirst);
    expect(shown.map((column) => column.name)).toEqual(["time", "x.a"]);
  });
});

describe("rowsOf", () => {
  it("gives each row its values by column, and an identity", () => {
    const rows: Page = JSON.parse(
      `{"columns": ["request_id", "row", "x.a"], "rows": [["r1", 1, 0.5], ["r1", 0, null]]}`,
    );
    expect(rowsOf(rows)).toEqual([
      { id: "r1:1", requestId: "r1", row: 1, values: { request_id: "r1", row: 1, "x.a": 0.5 } },
      { id: "r1:0", requestId: "r1", row: 0, values: { request_id: "r1", row: 0, "x.a": null } },
    ]);
  });
});

describe("formatValue", () => {
  it("is short in a table and exact beside it", () => {
    expect(formatValue("y.t:0", 0.8015484525786077)).toBe("0.8015");
    expect(formatValue("y.t:0", 0.8015484525786077, "exact")).toBe("0.8015484525786077");
    expect(formatValue("status", 200)).toBe("200");
    expect(formatValue("x.a", null)).toBe("–");
    expect(formatValue("x.flag", true)).toBe("true");
  });
});
