/** From series of predictors to what the charts draw. */
import type { ChartData, ChartGroup, ChartKind } from "@/charts/panel";

/** Values of a predictor over time. */
interface Series {
  predictor: string;
  /** Seconds since 1970 UTC. */
  time: number[];
}

export interface LineKind<S extends Series> extends ChartKind {
  line: (series: S) => (number | null)[];
}

/** Name of what is counted for requests that reached no predictor. */
export const NO_PREDICTOR = "no predictor";
/** Colour of that, the last of the series colours. */
const NO_PREDICTOR_COLOR = 7;

/** Brings series onto one axis of time, in the order of `predictors`. */
export function toChart<S extends Series>(
  series: S[],
  predictors: string[],
  kinds: LineKind<S>[],
): ChartData {
  const time = [...new Set(series.flatMap((one) => one.time))].sort((a, b) => a - b);
  const position = new Map(time.map((at, index) => [at, index]));
  const names = namesOf(series, predictors);
  const groups = inOrder(series, names).map(
    (one): ChartGroup => ({
      label: one.predictor || NO_PREDICTOR,
      colorIndex: one.predictor === "" ? NO_PREDICTOR_COLOR : names.indexOf(one.predictor),
      values: kinds.map(({ line }) => spread(line(one), one.time, position)),
    }),
  );
  return { time, groups, kinds };
}

function spread(
  values: (number | null)[],
  times: number[],
  position: Map<number, number>,
): (number | null)[] {
  const spreadOut = new Array<number | null>(position.size).fill(null);
  for (const [index, value] of values.entries()) {
    const at = position.get(times[index] ?? Number.NaN);
    if (at !== undefined) spreadOut[at] = value;
  }
  return spreadOut;
}

/** Those of `predictors`, then those that are gone meanwhile; what reached none is not among them. */
function namesOf(series: Series[], predictors: string[]): string[] {
  return [...new Set([...predictors, ...series.map(({ predictor }) => predictor)])].filter(
    (name) => name !== "",
  );
}

function inOrder<S extends Series>(series: S[], names: string[]): S[] {
  const rank = ({ predictor }: S) => (predictor === "" ? names.length : names.indexOf(predictor));
  return [...series].sort((a, b) => rank(a) - rank(b));
}
