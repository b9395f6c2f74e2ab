import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { ChartPanel } from "@/charts/ChartPanel";
import { UsageCharts } from "@/features/instances/components/UsageCharts";
import { formatLatency, formatNumber, formatRate } from "@/util/format";
import { toChart } from "../chart";
import { type Deployment, statusQuery, type Traffic, trafficQuery } from "../queries";
import { rebin } from "../rebin";
import { drawnSeries } from "../traffic";
import { TrafficTotals } from "./TrafficTotals";

const route = getRouteApi("/deployments/$namespace/$name/");
const RANGES = [5, 15, 60];
const RANGE = 15;

type Series = Traffic["series"][number];

const rate = [{ label: "requests", line: (series: Series) => series.rate }];
const errors = [
  { label: "4xx", dash: [5, 3], line: (series: Series) => series.clientErrors },
  { label: "5xx", line: (series: Series) => series.serverErrors },
];
const latency = [
  { label: "p50", line: (series: Series) => series.p50 },
  { label: "p95", dash: [6, 3], line: (series: Series) => series.p95 },
  { label: "p99", dash: [2, 3], line: (series: Series) => series.p99 },
];

const NONE = "No requests in this time";
const noTraffic: Traffic = { interval: 1, series: [] };

/** Live charts of the traffic. */
export function TrafficSection({ deployment }: { deployment: Deployment }) {
  const { minutes } = route.useSearch();
  const range = RANGES.find((one) => one === minutes) ?? RANGE;
  const { data: traffic = noTraffic, dataUpdatedAt } = useQuery(trafficQuery(deployment, range * 60));
  const names = useMemo(
    () => deployment.predictors.map((predictor) => predictor.name),
    [deployment.predictors],
  );
  const binned = useMemo(() => rebin(traffic, range * 60), [traffic, range]);
  const charts = useMemo(() => {
    const series = drawnSeries(binned);
    return {
      rate: toChart(series, names, rate),
      errors: toChart(series, names, errors),
      latency: toChart(series, names, latency),
    };
  }, [binned, names]);
  const { data: status } = useSuspenseQuery(statusQuery);
  const to = Math.max((dataUpdatedAt || Date.now()) / 1000, charts.rate.time.at(-1) ?? 0);
  const shared = { from: to - range * 60, to, syncKey: `${deployment.namespace}/${deployment.name}` };
  const every = `every ${formatNumber(Math.max(1, Math.round(binned.interval)))} s`;
  return (
    <Box component="section" aria-label="Traffic">
      <Stack direction="row" sx={{ alignItems: "center", justifyContent: "space-between", mb: 1.5 }}>
        <Typography variant="h2">Traffic</Typography>
        <RangePicker range={range} />
      </Stack>
      <TrafficTotals traffic={traffic} minutes={range} />
      <Box
        sx={{
          display: "grid",
          gap: 2,
          gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(3, minmax(0, 1fr))" },
        }}
      >
        <ChartPanel
          title="Request rate"
          unit={`requests/s, ${every}`}
          data={charts.rate}
          empty={NONE}
          format={formatRate}
          {...shared}
        />
        <ChartPanel
          title="Errors"
          unit={`errors/s, ${every}`}
          data={charts.errors}
          empty={NONE}
          format={formatRate}
          {...shared}
        />
        <ChartPanel
          title="Latency"
          unit={`${every}, logarithmic`}
          scale="log"
          data={charts.latency}
          empty={NONE}
          format={formatLatency}
          {...shared}
        />
      </Box>
      {status.engine === "kubernetes" && (
        <UsageCharts deployment={deployment} predictors={names} seconds={range * 60} axis={shared} />
      )}
    </Box>
  );
}

function RangePicker({ range }: { range: number }) {
  const navigate = route.useNavigate();
  return (
    <ToggleButtonGroup
      exclusive
      aria-label="Range"
      value={range}
      onChange={(_event, value: number | null) =>
        void navigate({ search: { minutes: value && value !== RANGE ? value : undefined }, replace: true })
      }
    >
      {RANGES.map((minutes) => (
        <ToggleButton key={minutes} value={minutes}>
          {minutes} min
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
