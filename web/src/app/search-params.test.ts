import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch } from "./search-params";

describe("search parameters", () => {
  it("come back as they were", () => {
    const search = {
      filter: `"x.Sepal length" > 5 AND predictor = 'a&b'`,
      back: ["", "12-0"],
      live: undefined,
    };
    expect(parseSearch(stringifySearch(search))).toEqual({ filter: search.filter, back: search.back });
  });

  it("are texts, also where they look like numbers", () => {
    expect(parseSearch("?namespace=2024&limit=50")).toEqual({ namespace: "2024", limit: "50" });
    expect(stringifySearch({ limit: 50 })).toBe("?limit=50");
    expect(stringifySearch({})).toBe("");
  });
});
