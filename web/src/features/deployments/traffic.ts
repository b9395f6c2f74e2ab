/** What the charts of traffic are made from. */
import type { Traffic } from "./queries";

type Series = Traffic["series"][number];

/** The series to be drawn: what reached no predictor only if anything did. */
export function drawnSeries({ series }: Traffic): Series[] {
  return series.filter((one) => one.predictor !== "" || one.rate.some((rate) => rate > 0));
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
