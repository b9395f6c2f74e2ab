import { describe, expect, it } from "vitest";
import type { Traffic } from "./queries";
import { drawnSeries, totalsOf } from "./traffic";

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

describe("drawnSeries", () => {
  it("tells of requests that reached no predictor only if there were any", () => {
    const drawn = (rate: number) =>
      drawnSeries({ interval: 1, series: [series("", [1], [rate]), series("main", [1], [0])] });
    expect(drawn(1)).toHaveLength(2);
    expect(drawn(0).map(({ predictor }) => predictor)).toEqual(["main"]);
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
