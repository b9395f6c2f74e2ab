import { describe, expect, it } from "vitest";
import { isolatedIndexes, lastIndex } from "./panel";

describe("isolatedIndexes", () => {
  it("finds values between missing ones and at the ends", () => {
    expect(isolatedIndexes([1, null, 2, 3, null, null, 4])).toEqual([0, 6]);
    expect(isolatedIndexes([5])).toEqual([0]);
    expect(isolatedIndexes([null, undefined])).toEqual([]);
  });
});

describe("lastIndex", () => {
  const kinds = [{ label: "rate" }];

  it("is the last time with a value in any line", () => {
    const groups = [
      { label: "a", colorIndex: 0, values: [[1, null, null]] },
      { label: "b", colorIndex: 1, values: [[1, 0, null]] },
    ];
    expect(lastIndex({ time: [1, 2, 3], groups, kinds })).toBe(1);
  });

  it("is null without values", () => {
    expect(lastIndex({ time: [1], groups: [], kinds })).toBeNull();
  });
});
