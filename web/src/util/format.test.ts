import { describe, expect, it } from "vitest";
import {
  count,
  formatAge,
  formatBytes,
  formatCores,
  formatLatency,
  formatNumber,
  formatRate,
  formatShare,
  formatTime,
  shortId,
} from "./format";

describe("formatNumber", () => {
  it("keeps significant digits and drops zeros", () => {
    expect(formatNumber(0.008074020139120223)).toBe("0.00807402");
    expect(formatNumber(5.1)).toBe("5.1");
    expect(formatNumber(1234567)).toBe("1,234,567");
    expect(formatNumber(0.00000123)).toBe("1.230e-6");
    expect(formatNumber(Number.NaN)).toBe("NaN");
    expect(formatNumber(0)).toBe("0");
  });
});

describe("formatLatency", () => {
  it("chooses the unit", () => {
    expect(formatLatency(0.0123)).toBe("12.3 µs");
    expect(formatLatency(1.5)).toBe("1.5 ms");
    expect(formatLatency(2500)).toBe("2.5 s");
    expect(formatLatency(0)).toBe("0");
  });
});

describe("formatRate", () => {
  it("stays short", () => {
    expect(formatRate(41234)).toBe("41.2k");
    expect(formatRate(12.345)).toBe("12.3");
    expect(formatRate(0.001)).toBe("<0.01");
    expect(formatRate(0)).toBe("0");
  });
});

describe("formatCores", () => {
  it("stays short", () => {
    expect([0, 0.0004, 0.0123, 0.256, 1.2345, 12].map(formatCores)).toEqual([
      "0",
      "<0.001",
      "0.012",
      "0.26",
      "1.23",
      "12",
    ]);
  });
});

describe("formatBytes", () => {
  it("chooses the unit", () => {
    expect([0, 999, 1000, 1536, 300 * 2 ** 20, 1010 * 2 ** 20, 2.5 * 2 ** 30].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "0.977 KiB",
      "1.5 KiB",
      "300 MiB",
      "0.986 GiB",
      "2.5 GiB",
    ]);
    expect(formatBytes(2 ** 60)).toBe("1,048,576 TiB");
  });
});

describe("formatShare", () => {
  it("says 100 % only of all", () => {
    expect(formatShare(1)).toBe("100 %");
    expect(formatShare(0.99999)).toBe("99.99 %");
    expect(formatShare(0)).toBe("0 %");
    expect(formatShare(0.5)).toBe("50 %");
  });
});

describe("formatAge", () => {
  it("uses the largest unit that fits", () => {
    expect([5, 61, 3 * 3600, 47 * 3600, 49 * 3600].map(formatAge)).toEqual(["5s", "1m", "3h", "47h", "2d"]);
    expect(formatAge(-3)).toBe("0s");
  });
});

describe("formatTime", () => {
  it("is a date and a time in the reader's zone", () => {
    expect(formatTime("2026-01-31T12:00:00Z")).toMatch(/^2026-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(formatTime("yesterday")).toBe("yesterday");
  });
});

describe("shortId", () => {
  it("drops the algorithm and the tail", () => {
    expect(shortId("sha256:0123456789abcdef0123")).toBe("0123456789ab");
    expect(shortId("r-1")).toBe("r-1");
  });
});

describe("count", () => {
  it("counts in words", () => {
    expect([count(1, "row"), count(1200, "row")]).toEqual(["1 row", "1,200 rows"]);
  });
});
