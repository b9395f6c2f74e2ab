import { describe, expect, it } from "vitest";
import { firstPage, nextPage, previousPage, type RequestSearch, requestSearch } from "./search";
import { isVisible, toggleColumn } from "./visibility";

describe("paging", () => {
  it("goes forth and back to where it began", () => {
    const first = { filter: "status = 200" };
    const second = nextPage(first, "9-0");
    const third = nextPage(second, "5-1");
    expect(third).toMatchObject({ cursor: "5-1", back: ["", "9-0"], filter: "status = 200" });
    expect(previousPage(third)).toMatchObject({ cursor: "9-0", back: [""] });
    expect(previousPage(previousPage(third))).toMatchObject({ cursor: undefined, back: undefined });
    expect(firstPage(third)).toMatchObject({ cursor: undefined, back: undefined, filter: "status = 200" });
  });
});

describe("requestSearch", () => {
  it("reads a URL's texts and drops what makes no sense", () => {
    expect(
      requestSearch.parse({ limit: "100", hide: "time", live: "perhaps", back: ["", "1-0"] }),
    ).toMatchObject({
      limit: 100,
      hide: ["time"],
      live: undefined,
      back: ["", "1-0"],
    });
    expect(requestSearch.parse({ limit: "many" }).limit).toBeUndefined();
  });
});

describe("columns that are shown", () => {
  it("differ from those at first only by what was toggled", () => {
    const feature = { name: "x.a", isShownAtFirst: true };
    const sequence = { name: "seq", isShownAtFirst: false };
    expect([isVisible(feature, {}), isVisible(sequence, {})]).toEqual([true, false]);
    const hidden = toggleColumn<RequestSearch>(feature, {});
    expect(hidden).toEqual({ hide: ["x.a"] });
    expect(isVisible(feature, hidden)).toBe(false);
    expect(toggleColumn(feature, hidden)).toEqual({});
    expect(toggleColumn(sequence, {})).toEqual({ show: ["seq"] });
  });
});
