import { describe, expect, it } from "vitest";
import { prettyJson } from "./json";

describe("prettyJson", () => {
  it("keeps numbers as they were written", () => {
    expect(prettyJson('{"a":1.0,"b":[1e-7, 12345678901234567890]}')).toBe(
      '{\n  "a": 1.0,\n  "b": [1e-7, 12345678901234567890]\n}',
    );
  });

  it("puts the rows of a matrix on a line each", () => {
    expect(prettyJson("[[1,2],[3,4]]")).toBe("[\n  [1, 2],\n  [3, 4]\n]");
  });

  it("is not misled by what stands in texts", () => {
    expect(prettyJson('{"a,]":"{\\"x\\": [1]}","b":{},"c":[],"d":[{"e":null}]}')).toBe(
      '{\n  "a,]": "{\\"x\\": [1]}",\n  "b": {},\n  "c": [],\n  "d": [\n    {\n      "e": null\n    }\n  ]\n}',
    );
  });

  it("breaks lists that are too long for a line", () => {
    const long = Array.from({ length: 40 }, (_, index) => index + 0.5);
    expect(prettyJson(JSON.stringify(long))?.split("\n")).toHaveLength(42);
  });

  it("gives nothing for what is not JSON", () => {
    expect(prettyJson('{"a":')).toBeUndefined();
    expect(prettyJson("")).toBeUndefined();
  });
});
