/** What a chart of time series shows: a line for each group and kind. */

/** A group of lines in one colour, such as a predictor. */
export interface ChartGroup {
  label: string;
  /** Its place among the series colours. */
  colorIndex: number;
  /** For each kind the values over time; null where there is none. */
  values: (number | null)[][];
}

/** A kind of line, drawn alike in all groups, such as a percentile. */
export interface ChartKind {
  label: string;
  dash?: number[];
}

export interface ChartData {
  /** Seconds since 1970 UTC. */
  time: number[];
  groups: ChartGroup[];
  kinds: ChartKind[];
}

/** How values are spread over the height, and where labels stand: `log` for orders of magnitude. */
export type Scale = "linear" | "whole" | "bytes" | "log";

/** Indexes of values that no line reaches, as their neighbours are missing: they are drawn as points. */
export function isolatedIndexes(values: ArrayLike<number | null | undefined>): number[] {
  const isMissing = (index: number) => values[index] === null || values[index] === undefined;
  const indexes: number[] = [];
  for (let index = 0; index < values.length; index++) {
    if (!isMissing(index) && isMissing(index - 1) && isMissing(index + 1)) indexes.push(index);
  }
  return indexes;
}

/** Index of the last time at which any line has a value. */
export function lastIndex({ time, groups }: ChartData): number | null {
  for (let index = time.length - 1; index >= 0; index--) {
    if (groups.some(({ values }) => values.some((line) => typeof line[index] === "number"))) return index;
  }
  return null;
}
