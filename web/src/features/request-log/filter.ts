/** Writes conditions in the filter grammar of the server. */

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A value that a condition may compare with. */
export type FilterValue = string | number | boolean;

const BARE_NAME = /^[\p{L}\p{N}_.:+-]+$/u;
const KEYWORD = /^(and|or)$/i;

/** The name of a column as the grammar takes it; nothing where it cannot be written. */
export function quoteColumn(name: string): string | undefined {
  if (BARE_NAME.test(name) && !KEYWORD.test(name)) return name;
  return name.includes('"') ? undefined : `"${name}"`;
}

/** A value as the grammar takes it; nothing where it cannot be written. */
export function quoteValue(value: FilterValue): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === "boolean") return String(value);
  if (!value.includes("'")) return `'${value}'`;
  return value.includes('"') ? undefined : `"${value}"`;
}

/** A condition, as `"x.Sepal length" >= 5.1`; nothing where it cannot be written. */
export function condition(column: string, operator: Operator, value: FilterValue): string | undefined {
  const name = quoteColumn(column);
  const text = quoteValue(value);
  return name === undefined || text === undefined ? undefined : `${name} ${operator} ${text}`;
}

/** The filter with one more condition that must hold. */
export function addCondition(filter: string, added: string): string {
  const before = filter.trim();
  if (before === "") return added;
  const words = topLevelWords(before);
  if (words.has("or")) return `(${before}) AND ${added}`;
  const isThere = before.split(/\s+AND\s+/i).includes(added);
  return isThere ? before : `${before} AND ${added}`;
}

/** The words of a filter outside of quotes and brackets, in lower case. */
function topLevelWords(filter: string): Set<string> {
  const words = new Set<string>();
  let depth = 0;
  for (const [token] of filter.matchAll(/'[^']*'?|"[^"]*"?|[()]|[\p{L}\p{N}_.:+-]+/gu)) {
    if (token === "(") depth += 1;
    else if (token === ")") depth -= 1;
    else if (depth === 0) words.add(token.toLowerCase());
  }
  return words;
}
