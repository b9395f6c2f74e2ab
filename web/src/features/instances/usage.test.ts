import { describe, expect, it } from "vitest";
import type { UsageSeries } from "./queries";
import { buildUsage, intervalOf } from "./usage";

const series = (predictor: string, rest: Partial<UsageSeries> = {}): UsageSeries => ({
  predictor,
  time: [5, 10],
  instances: [2, 2],
  ready: [1, 2],
  cpu: [null, null],
  memory: [100, null],
  ...rest,
});

describe("buildUsage", () => {
  it("has a line for each predictor, in their colours", () => {
    const { memory, instances } = buildUsage([series("canary"), series("main")], ["main", "canary"]);
    expect(memory.time).toEqual([5, 10]);
    expect(memory.groups.map(({ label, colorIndex, values }) => [label, colorIndex, values])).toEqual([
      ["main", 0, [[100, null]]],
      ["canary", 1, [[100, null]]],
    ]);
    expect(instances.groups[0]?.values).toEqual([
      [2, 2],
      [1, 2],
    ]);
    expect(instances.kinds.map(({ label }) => label)).toEqual(["all", "ready"]);
  });

  it("leaves out predictors whose instances never told", () => {
    const { cpu } = buildUsage([series("main"), series("canary", { cpu: [0, 0.5] })], ["main", "canary"]);
    expect(cpu.groups.map(({ label }) => label)).toEqual(["canary"]);
  });
});

describe("intervalOf", () => {
  it("is that of any series with two points", () => {
    expect(intervalOf([series("new", { time: [10] }), series("main", { time: [5.1, 9.9] })])).toBe(5);
    expect(intervalOf([series("new", { time: [10] })])).toBeUndefined();
    expect(intervalOf([])).toBeUndefined();
  });
});
