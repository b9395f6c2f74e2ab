import { describe, expect, it } from "vitest";
import type { Container } from "../queries";
import { describeReading } from "./describe";
import type { Reading } from "./follow";

const container: Container = { name: "classifier", image: "", initial: false, ready: true, restarts: 0 };
const say = (
  reading: Reading,
  rest: { container?: Container; isGone?: boolean; isPrevious?: boolean } = {},
) => describeReading(reading, { container, isGone: false, isPrevious: false, ...rest });

describe("describeReading", () => {
  it("says what the end of a log means", () => {
    expect(say({ phase: "ended" }, { container: { ...container, initial: true } }).detail).toBe(
      "The container did its work.",
    );
    const crashed = { ...container, ready: false, reason: "Error: exit code 1" };
    expect(say({ phase: "ended" }, { container: crashed }).detail).toMatch(
      /^The container ended: Error: exit code 1\. /,
    );
    expect(say({ phase: "ended" }).detail).toContain("Trying again");
  });

  it("tells a pause from a log that has ended", () => {
    expect(say({ phase: "read" }).word).toBe("Paused");
    expect(say({ phase: "read" }, { isPrevious: true }).word).toBe("Ended");
  });

  it("says that an instance is gone, but for lines that still come", () => {
    expect(say({ phase: "gone", reason: "" }).word).toBe("Gone");
    expect(say({ phase: "ended" }, { isGone: true }).word).toBe("Gone");
    expect(say({ phase: "live" }, { isGone: true }).word).toBe("Live");
  });

  it("gives the reason where there is one", () => {
    const broken = say({ phase: "broken", reason: "network error" });
    expect([broken.word, broken.detail, broken.canTryAgain]).toEqual([
      "Interrupted",
      "Network error. Trying again every few seconds; no line is lost.",
      true,
    ]);
    expect(say({ phase: "refused", reason: "it waits" }).detail).toBe("It waits.");
  });
});
