import Box from "@mui/material/Box";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ChartPanel } from "@/charts/ChartPanel";
import type { DeploymentId } from "@/features/deployments/queries";
import { formatBytes, formatCores, formatNumber } from "@/util/format";
import { usageQuery } from "../queries";
import { buildUsage, intervalOf } from "../usage";

interface Props {
  deployment: DeploymentId;
  /** Names in their order, which gives the colours. */
  predictors: string[];
  seconds: number;
  /** That of the traffic: what happened together stands together. */
  axis: { from: number; to: number; syncKey: string };
}

const UNTOLD = "No instance told what it uses in this time";

/** Live charts of what the instances use. */
export function UsageCharts({ deployment, predictors, seconds, axis }: Props) {
  const { data: usage } = useQuery(usageQuery(deployment, seconds));
  const { cpu, memory, instances } = useMemo(
    () => buildUsage(usage?.series ?? [], predictors),
    [usage, predictors],
  );
  const interval = intervalOf(usage?.series ?? []);
  const every = interval === undefined ? "" : `, every ${formatNumber(interval)} s`;
  return (
    <Box
      component="section"
      aria-label="Usage"
      sx={{
        mt: 2,
        display: "grid",
        gap: 2,
        gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(3, minmax(0, 1fr))" },
      }}
    >
      <ChartPanel
        title="CPU"
        unit={`cores${every}`}
        data={cpu}
        format={formatCores}
        empty={UNTOLD}
        {...axis}
      />
      <ChartPanel
        title="Memory"
        unit={`of all instances${every}`}
        scale="bytes"
        data={memory}
        format={formatBytes}
        empty={UNTOLD}
        {...axis}
      />
      <ChartPanel
        title="Instances"
        unit={`ready of all${every}`}
        scale="whole"
        data={instances}
        format={formatNumber}
        empty="No instances in this time"
        {...axis}
      />
    </Box>
  );
}
