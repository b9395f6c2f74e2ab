/** From the server's traffic to what the charts draw. */
import type { ChartData, ChartGroup, ChartKind } from "@/charts/panel";
import type { Traffic } from "./queries";

type Series = Traffic["series"][number];
type Line = (series: Series) => (number | null)[];

/** Name of what is counted for requests that reached no predictor. */
export const NO_PREDICTOR = "no predictor";
/** Colour of that, the last of the series colours. */
const NO_PREDICTOR_COLOR = 7;

/** Brings series onto one axis of time, in the order of `predictors`. */
export function toChart(
  traffic: Traffic,
  predictors: string[],
  kinds: (ChartKind & { line: Line })[],
): ChartData {
  const time = [...new Set(traffic.series.flatMap((series) => series.time))].sort((a, b) => a - b);
  const position = new Map(time.map((at, index) => [at, index]));
  const groups = inOrder(traffic.series, predictors).map(
    (series): ChartGroup => ({
      label: series.predictor || NO_PREDICTOR,
      colorIndex: colorIndex(series.predictor, predictors),
      values: kinds.map(({ line }) => spread(line(series), series.time, position)),
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

function inOrder(series: Series[], predictors: string[]): Series[] {
  const rank = (name: string) => {
    const index = predictors.indexOf(name);
    if (index >= 0) return index;
    return name === "" ? predictors.length + 1 : predictors.length;
  };
  return series
    .filter((one) => one.predictor !== "" || one.rate.some((rate) => rate > 0))
    .sort((a, b) => rank(a.predictor) - rank(b.predictor));
}

/** A predictor that is gone meanwhile takes the colour after those that are there. */
function colorIndex(predictor: string, predictors: string[]): number {
  if (predictor === "") return NO_PREDICTOR_COLOR;
  const index = predictors.indexOf(predictor);
  return index >= 0 ? index : predictors.length;
}

export interface TrafficTotals {
  requests: number;
  clientErrors: number;
  serverErrors: number;
  /** Requests a second in the last intervals. */
  rate: number;
}

/** Intervals over which the present rate is taken. */
const PRESENT = 5;

/** Totals over the range. */
export function totalsOf({ interval, series }: Traffic): TrafficTotals {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const total = (line: (series: Series) => number[]) =>
    Math.round(sum(series.map((one) => sum(line(one)))) * interval);
  const present = (one: Series) => {
    const last = one.rate.slice(-PRESENT);
    return last.length > 0 ? sum(last) / last.length : 0;
  };
  return {
    requests: total((one) => one.rate),
    clientErrors: total((one) => one.clientErrors),
    serverErrors: total((one) => one.serverErrors),
    rate: sum(series.map(present)),
  };
}
