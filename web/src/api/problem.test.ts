import { describe, expect, it } from "vitest";
import { ApiError, isNotFound, toProblem } from "./problem";

describe("toProblem", () => {
  it("takes a problem as it is", () => {
    const problem = { type: "about:blank#invalid", title: "t", status: 422, code: "invalid", detail: "d" };
    expect(toProblem(problem, { status: 422, statusText: "" })).toBe(problem);
  });

  it("makes one of anything else", () => {
    expect(toProblem("too long", { status: 413, statusText: "Content Too Large" })).toMatchObject({
      status: 413,
      title: "Content Too Large",
      detail: "too long",
    });
    expect(toProblem(undefined, { status: 502, statusText: "" })).toMatchObject({ detail: "Status 502" });
  });
});

describe("ApiError", () => {
  it("has the problem's detail as its message", () => {
    const error = new ApiError(toProblem("gone", { status: 404, statusText: "Not Found" }));
    expect(error.message).toBe("gone");
    expect(error.errors).toEqual([]);
    expect(isNotFound(error)).toBe(true);
    expect(isNotFound(new Error("x"))).toBe(false);
  });
});
