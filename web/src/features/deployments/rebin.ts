/** Makes long ranges readable: fewer, longer intervals. */
import type { Traffic } from "./queries";

type Series = Traffic["series"][number];

/** Most points of a line; a chart is hardly wider. */
const POINTS_MAX = 180;

/**
 * The traffic in intervals of which no more than POINTS_MAX make up the range. Rates are averaged, medians
 * weighted by requests; of the higher percentiles the greatest is taken, so that no peak is lost.
 */
export function rebin(traffic: Traffic, rangeSeconds: number): Traffic {
  const { interval } = traffic;
  const factor = interval > 0 ? Math.ceil(rangeSeconds / Math.max(1, Math.round(interval)) / POINTS_MAX) : 1;
  if (factor <= 1) return traffic;
  const length = factor * Math.max(1, Math.round(interval));
  return { interval: length, series: traffic.series.map((series) => rebinSeries(series, length)) };
}

function rebinSeries(series: Series, length: number): Series {
  const bins = new Map<number, number[]>();
  for (const [index, time] of series.time.entries()) {
    const bin = Math.ceil(time / length);
    bins.set(bin, [...(bins.get(bin) ?? []), index]);
  }
  const all = [...bins.values()];
  const mean = (line: number[]) => all.map((indexes) => average(indexes.map((index) => line[index] ?? 0)));
  const peak = (line: (number | null)[]) =>
    all.map((indexes) => greatest(indexes.map((index) => line[index])));
  return {
    predictor: series.predictor,
    time: [...bins.keys()].map((bin) => bin * length),
    rate: mean(series.rate),
    clientErrors: mean(series.clientErrors),
    serverErrors: mean(series.serverErrors),
    p50: all.map((indexes) => weightedMedian(series, indexes)),
    p95: peak(series.p95),
    p99: peak(series.p99),
  };
}

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function greatest(values: (number | null | undefined)[]): number | null {
  const present = values.filter((value) => typeof value === "number");
  return present.length > 0 ? Math.max(...present) : null;
}

function weightedMedian({ p50, rate }: Series, indexes: number[]): number | null {
  let sum = 0;
  let weight = 0;
  for (const index of indexes) {
    const value = p50[index];
    if (typeof value !== "number") continue;
    sum += value * (rate[index] ?? 0);
    weight += rate[index] ?? 0;
  }
  return weight > 0 ? sum / weight : null;
}
