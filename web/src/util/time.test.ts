import { describe, expect, it } from "vitest";
import { fromLocalInput, toLocalInput } from "./time";

describe("local times", () => {
  it("come back as they were", () => {
    expect(fromLocalInput(toLocalInput("2026-01-31T12:00:05Z"))).toBe("2026-01-31T12:00:05Z");
  });

  it("are empty where there is none", () => {
    expect(toLocalInput("15m")).toBe("");
    expect(toLocalInput(undefined)).toBe("");
    expect(fromLocalInput("")).toBeUndefined();
  });
});
