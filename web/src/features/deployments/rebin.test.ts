import { describe, expect, it } from "vitest";
import type { Traffic } from "./queries";
import { rebin } from "./rebin";

const traffic: Traffic = {
  interval: 1.999,
  series: [
    {
      predictor: "main",
      time: [100.5, 102.5, 104.5, 106.5],
      rate: [1, 3, 0, 0],
      clientErrors: [0, 1, 0, 0],
      serverErrors: [0, 0, 0, 0],
      p50: [2, 4, null, null],
      p95: [5, 7, null, null],
      p99: [9, 8, null, null],
    },
  ],
};

describe("rebin", () => {
  it("leaves short ranges as they are", () => {
    expect(rebin(traffic, 300)).toBe(traffic);
    expect(rebin({ interval: 0, series: [] }, 3600)).toEqual({ interval: 0, series: [] });
  });

  it("averages rates, weighs medians and keeps peaks", () => {
    const { interval, series } = rebin(traffic, 720);
    expect(interval).toBe(4);
    expect(series).toEqual([
      {
        predictor: "main",
        time: [104, 108],
        rate: [2, 0],
        clientErrors: [0.5, 0],
        serverErrors: [0, 0],
        p50: [3.5, null],
        p95: [7, null],
        p99: [9, null],
      },
    ]);
  });
});
