/** From what instances use to what the charts draw. */
import type { ChartData } from "@/charts/panel";
import { toChart } from "@/features/deployments/chart";
import type { UsageSeries } from "./queries";

const cpu = [{ label: "cores", line: (series: UsageSeries) => series.cpu }];
const memory = [{ label: "bytes", line: (series: UsageSeries) => series.memory }];
const instances = [
  { label: "all", dash: [5, 3], line: (series: UsageSeries) => series.instances },
  { label: "ready", line: (series: UsageSeries) => series.ready },
];

/** One line a predictor; none for those that never told. */
export function buildUsage(series: UsageSeries[], predictors: string[]): Record<Chart, ChartData> {
  return {
    cpu: withoutSilent(toChart(series, predictors, cpu)),
    memory: withoutSilent(toChart(series, predictors, memory)),
    instances: withoutSilent(toChart(series, predictors, instances)),
  };
}

/** Seconds between two points of the series; none where there are no two. */
export function intervalOf(series: UsageSeries[]): number | undefined {
  const [first, second] = series.map(({ time }) => time).find(({ length }) => length > 1) ?? [];
  return first === undefined || second === undefined ? undefined : Math.max(1, Math.round(second - first));
}

type Chart = "cpu" | "memory" | "instances";

function withoutSilent({ groups, ...rest }: ChartData): ChartData {
  const tells = (line: (number | null)[]) => line.some((value) => value !== null);
  return { ...rest, groups: groups.filter(({ values }) => values.some(tells)) };
}
