import { describe, expect, it } from "vitest";
import type { Traffic } from "./queries";
import { NO_PREDICTOR, toChart, totalsOf } from "./traffic";

type Series = Traffic["series"][number];

function series(predictor: string, time: number[], rate: number[], errors = 0): Series {
  const none = time.map(() => null);
  const serverErrors = time.map((_, index) => (index === 0 ? errors : 0));
  return {
    predictor,
    time,
    rate,
    clientErrors: time.map(() => 0),
    serverErrors,
    p50: none,
    p95: none,
    p99: none,
  };
}

const kinds = [{ label: "requests", line: (one: Series) => one.rate }];

describe("toChart", () => {
  it("brings series of different times onto one axis", () => {
    const traffic = {
      interval: 1,
      series: [series("canary", [2, 3], [5, 6]), series("main", [1, 2], [1, 2])],
    };
    const chart = toChart(traffic, ["main", "canary"], kinds);
    expect(chart.time).toEqual([1, 2, 3]);
    expect(chart.groups).toEqual([
      { label: "main", colorIndex: 0, values: [[1, 2, null]] },
      { label: "canary", colorIndex: 1, values: [[null, 5, 6]] },
    ]);
  });

  it("shows requests that reached no predictor last, and only if there were any", () => {
    const labels = (rate: number) =>
      toChart(
        { interval: 1, series: [series("", [1], [rate]), series("gone", [1], [1])] },
        ["main"],
        kinds,
      ).groups.map((group) => [group.label, group.colorIndex]);
    expect(labels(1)).toEqual([
      ["gone", 1],
      [NO_PREDICTOR, 7],
    ]);
    expect(labels(0)).toEqual([["gone", 1]]);
  });
});

describe("totalsOf", () => {
  it("counts requests from rates", () => {
    const traffic = { interval: 2, series: [series("a", [1, 2], [10, 20], 1), series("b", [2], [5])] };
    expect(totalsOf(traffic)).toEqual({ requests: 70, clientErrors: 0, serverErrors: 2, rate: 20 });
  });

  it("is nothing without traffic", () => {
    expect(totalsOf({ interval: 0, series: [] })).toEqual({
      requests: 0,
      clientErrors: 0,
      serverErrors: 0,
      rate: 0,
    });
  });
});
