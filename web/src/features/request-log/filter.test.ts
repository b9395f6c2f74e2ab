import { describe, expect, it } from "vitest";
import { addCondition, condition, quoteColumn, quoteValue } from "./filter";

describe("quoteColumn", () => {
  it("leaves plain names as they are", () => {
    expect(quoteColumn("status")).toBe("status");
    expect(quoteColumn("y.t:0")).toBe("y.t:0");
    expect(quoteColumn("x.größe")).toBe("x.größe");
  });

  it("quotes names with blanks and keywords", () => {
    expect(quoteColumn("x.Sepal length")).toBe('"x.Sepal length"');
    expect(quoteColumn("or")).toBe('"or"');
    expect(quoteColumn("x.it's")).toBe(`"x.it's"`);
  });

  it("gives up on names with a double quote, which the grammar cannot write", () => {
    expect(quoteColumn('x.5" pipe')).toBeUndefined();
  });
});

describe("quoteValue", () => {
  it("writes numbers and truth values bare", () => {
    expect(quoteValue(-0.5)).toBe("-0.5");
    expect(quoteValue(1e-7)).toBe("1e-7");
    expect(quoteValue(true)).toBe("true");
    expect(quoteValue(Number.NaN)).toBeUndefined();
  });

  it("chooses the quote that the text does not hold", () => {
    expect(quoteValue("canary")).toBe("'canary'");
    expect(quoteValue("5")).toBe("'5'");
    expect(quoteValue("it's")).toBe(`"it's"`);
    expect(quoteValue(`it's "5"`)).toBeUndefined();
  });
});

describe("addCondition", () => {
  const added = condition("x.Sepal length", ">=", 5.1) ?? "";

  it("begins a filter", () => {
    expect(addCondition("  ", added)).toBe('"x.Sepal length" >= 5.1');
  });

  it("joins with AND, once", () => {
    const filter = addCondition("status = 200", added);
    expect(filter).toBe('status = 200 AND "x.Sepal length" >= 5.1');
    expect(addCondition(filter, added)).toBe(filter);
  });

  it("puts alternatives in brackets first", () => {
    expect(addCondition("a = 1 or b = 2", added)).toBe('(a = 1 or b = 2) AND "x.Sepal length" >= 5.1');
    expect(addCondition("(a = 1 OR b = 2)", added)).toBe('(a = 1 OR b = 2) AND "x.Sepal length" >= 5.1');
    expect(addCondition("a = 'x or y'", added)).toBe(`a = 'x or y' AND "x.Sepal length" >= 5.1`);
  });
});
