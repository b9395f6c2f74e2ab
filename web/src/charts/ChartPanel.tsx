import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Skeleton from "@mui/material/Skeleton";
import Tooltip from "@mui/material/Tooltip";
import { lazy, Suspense, useState } from "react";
import { TableIcon, TrendIcon } from "@/ui/icons";
import { Section } from "@/ui/Section";
import { ChartLegend } from "./ChartLegend";
import { ChartTable } from "./ChartTable";
import { type ChartData, lastIndex, type Scale } from "./panel";

const TimeSeries = lazy(async () => ({ default: (await import("./TimeSeries")).TimeSeries }));

interface Props {
  title: string;
  /** The unit, and what one point stands for. */
  unit: string;
  data: ChartData;
  from: number;
  to: number;
  format: (value: number) => string;
  /** What stands where there are no lines. */
  empty: string;
  syncKey: string;
  scale?: Scale;
}

const HEIGHT = 180;

/** A chart with its legend, and the same as a table. */
export function ChartPanel({ title, unit, data, from, to, format, syncKey, empty, scale = "linear" }: Props) {
  const [cursor, setCursor] = useState<number | null>(null);
  const [isTable, setIsTable] = useState(false);
  const toggleLabel = isTable ? `Show ${title} as a chart` : `Show ${title} as a table`;
  return (
    <Section
      title={title}
      note={unit}
      actions={
        <Tooltip title={toggleLabel}>
          <IconButton aria-label={toggleLabel} aria-pressed={isTable} onClick={() => setIsTable(!isTable)}>
            {isTable ? <TrendIcon sx={{ fontSize: 17 }} /> : <TableIcon sx={{ fontSize: 17 }} />}
          </IconButton>
        </Tooltip>
      }
    >
      {data.groups.length === 0 && (
        <Box
          sx={{
            height: HEIGHT,
            display: "grid",
            placeItems: "center",
            textAlign: "center",
            color: "text.secondary",
            fontSize: "0.8125rem",
          }}
        >
          {empty}
        </Box>
      )}
      {data.groups.length > 0 && isTable && (
        <ChartTable data={data} label={title} format={format} height={HEIGHT} />
      )}
      {data.groups.length > 0 && !isTable && (
        <Suspense fallback={<Skeleton variant="rounded" height={HEIGHT} />}>
          <TimeSeries
            data={data}
            label={`${title} over time`}
            from={from}
            to={to}
            format={format}
            syncKey={syncKey}
            scale={scale}
            height={HEIGHT}
            onCursor={setCursor}
          />
        </Suspense>
      )}
      {data.groups.length > 0 && (
        <ChartLegend data={data} index={cursor ?? lastIndex(data)} format={format} />
      )}
    </Section>
  );
}
