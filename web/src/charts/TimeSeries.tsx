import Box from "@mui/material/Box";
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useChartColors } from "@/theme/useChartColors";
import { type ChartData, isolatedIndexes, type Scale } from "./panel";

export interface TimeSeriesProps {
  data: ChartData;
  /** Accessible name. */
  label: string;
  /** Seconds since 1970 UTC. */
  from: number;
  to: number;
  format: (value: number) => string;
  /** Charts of the same key share their cursor. */
  syncKey: string;
  height: number;
  scale: Scale;
  /** Called with the index under the cursor. */
  onCursor: (index: number | null) => void;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockExact = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** Lines over time on a canvas. */
export function TimeSeries(props: TimeSeriesProps) {
  const { data, label, height, from, to } = props;
  const colors = useChartColors();
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const table = useMemo(() => toTable(data), [data]);
  // The chart is made anew only when it is to look different.
  const shape = JSON.stringify([data.kinds, data.groups.map((group) => [group.label, group.colorIndex])]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the groups and kinds.
  useEffect(() => {
    const parent = frame.current;
    if (!parent) return;
    const plot = new uPlot(options(latest, colors, parent.clientWidth), toTable(latest.current.data), parent);
    chart.current = plot;
    const observer = new ResizeObserver(() => {
      plot.setSize({ width: parent.clientWidth, height: latest.current.height });
    });
    observer.observe(parent);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [shape, colors.paper]);

  useEffect(() => {
    const plot = chart.current;
    if (!plot || plot.series.length !== table.length) return;
    plot.batch(() => {
      plot.setData(table, false);
      plot.setScale("x", { min: from, max: to });
    });
  }, [table, from, to]);

  return <Box ref={frame} role="img" aria-label={label} sx={{ width: "100%", height, overflow: "hidden" }} />;
}

function toTable({ time, groups }: ChartData): uPlot.AlignedData {
  return [time, ...groups.flatMap((group) => group.values)];
}

type Colors = ReturnType<typeof useChartColors>;

function options(latest: { current: TimeSeriesProps }, colors: Colors, width: number): uPlot.Options {
  const { height, syncKey, data, scale } = latest.current;
  const axis = {
    stroke: colors.chart.axis,
    font: colors.font,
    grid: { stroke: colors.chart.grid, width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: syncKey, setSeries: false }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [latest.current.from, latest.current.to] },
      y: scale === "log" ? logScale : linearScale,
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 64,
        size: 26,
        values: (_plot, splits) => splits.map(timeLabel(splits)),
      },
      {
        ...axis,
        grid: scale === "log" ? { ...axis.grid, filter: powersOfTen } : axis.grid,
        incrs: steps[scale],
        size: 58,
        space: 32,
        gap: 6,
        // On a logarithmic scale only powers of ten are labelled; the others come as null.
        values: (_plot, splits) =>
          splits.map((value) => (value === null ? "" : latest.current.format(value))),
      },
    ],
    series: [{}, ...series(data, colors)],
    hooks: { setCursor: [(plot) => latest.current.onCursor(plot.cursor.idx ?? null)] },
  };
}

/** Steps between the labels of an axis, where they are not decimal fractions. */
const steps: Partial<Record<Scale, number[]>> = {
  whole: [1, 10, 100, 1000].flatMap((power) => [power, 2 * power, 5 * power]),
  bytes: Array.from({ length: 48 }, (_, power) => 2 ** power),
};

const linearScale: uPlot.Scale = { range: (_plot, _min, max) => [0, max > 0 ? max * 1.12 : 1] };

const powersOfTen: uPlot.Axis.Filter = (_plot, splits) =>
  splits.map((value) => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? value : null));

const logScale: uPlot.Scale = {
  distr: 3,
  log: 10,
  range: (_plot, min, max) => (min > 0 && max > 0 ? uPlot.rangeLog(min, max, 10, true) : [0.01, 1]),
};

function series({ groups, kinds }: ChartData, colors: Colors): uPlot.Series[] {
  const isFilled = kinds.length === 1;
  return groups.flatMap(({ label, colorIndex }) =>
    kinds.map((kind): uPlot.Series => {
      const stroke = colors.series[colorIndex % colors.series.length] ?? colors.chart.axis;
      return {
        label: `${label} ${kind.label}`,
        stroke,
        width: 1.6,
        dash: kind.dash,
        fill: isFilled ? `${stroke}1f` : undefined,
        points: {
          show: true,
          size: 4,
          fill: stroke,
          filter: (plot, seriesIndex) => isolatedIndexes(plot.data[seriesIndex] ?? []),
        },
      };
    }),
  );
}

/** Labels of the time axis: with seconds where the ticks are closer than a minute. */
function timeLabel(splits: number[]): (seconds: number) => string {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  const format = step < 60 ? clockExact : clock;
  return (seconds) => format.format(seconds * 1000);
}
