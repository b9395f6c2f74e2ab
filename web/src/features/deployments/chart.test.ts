import { describe, expect, it } from "vitest";
import { NO_PREDICTOR, toChart } from "./chart";

const series = (predictor: string, time: number[], rate: number[]) => ({ predictor, time, rate });
const kinds = [{ label: "requests", line: (one: { rate: number[] }) => one.rate }];

describe("toChart", () => {
  it("brings series of different times onto one axis", () => {
    const both = [series("canary", [2, 3], [5, 6]), series("main", [1, 2], [1, 2])];
    const chart = toChart(both, ["main", "canary"], kinds);
    expect(chart.time).toEqual([1, 2, 3]);
    expect(chart.groups).toEqual([
      { label: "main", colorIndex: 0, values: [[1, 2, null]] },
      { label: "canary", colorIndex: 1, values: [[null, 5, 6]] },
    ]);
  });

  it("shows predictors that are gone after the others, and what reached none last", () => {
    const all = ["", "gone", "main", "gone too"].map((name) => series(name, [1], [1]));
    const { groups } = toChart(all, ["main"], kinds);
    expect(groups.map((group) => [group.label, group.colorIndex])).toEqual([
      ["main", 0],
      ["gone", 1],
      ["gone too", 2],
      [NO_PREDICTOR, 7],
    ]);
  });
});
