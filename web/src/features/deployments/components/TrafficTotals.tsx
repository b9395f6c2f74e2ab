import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Typography from "@mui/material/Typography";
import { formatNumber, formatRate, formatShare } from "@/util/format";
import type { Traffic } from "../queries";
import { totalsOf } from "../traffic";

interface Props {
  traffic: Traffic;
  minutes: number;
}

/** The traffic of the range in four figures. */
export function TrafficTotals({ traffic, minutes }: Props) {
  const { requests, clientErrors, serverErrors, rate } = totalsOf(traffic);
  const succeeded = Math.max(0, requests - clientErrors - serverErrors);
  return (
    <Paper
      variant="outlined"
      component="dl"
      sx={{
        m: 0,
        mb: 2,
        display: "grid",
        gridTemplateColumns: { xs: "1fr 1fr", md: "repeat(4, 1fr)" },
        "& > * + *": { borderLeft: { md: 1 }, borderColor: { md: "divider" } },
      }}
    >
      <Figure name="Now" value={formatRate(rate)} unit="requests/s" />
      <Figure name={`Requests in ${minutes} min`} value={formatNumber(requests)} />
      <Figure name="Succeeded" value={requests === 0 ? "–" : formatShare(succeeded / requests)} />
      <Figure
        name="Errors"
        value={formatNumber(clientErrors + serverErrors)}
        unit={`${formatNumber(clientErrors)} client, ${formatNumber(serverErrors)} server`}
        tone={serverErrors > 0 ? "failed" : undefined}
      />
    </Paper>
  );
}

interface FigureProps {
  name: string;
  value: string;
  unit?: string;
  tone?: "failed";
}

function Figure({ name, value, unit, tone }: FigureProps) {
  return (
    <Box sx={{ px: 2, py: 1.25 }}>
      <Typography component="dt" variant="caption" color="textSecondary">
        {name}
      </Typography>
      <Box component="dd" sx={{ m: 0, display: "flex", alignItems: "baseline", gap: 0.75, flexWrap: "wrap" }}>
        <Box
          component="span"
          sx={{
            fontSize: "1.25rem",
            fontWeight: 620,
            letterSpacing: "-0.015em",
            fontVariantNumeric: "tabular-nums",
            color: tone ? `console.status.${tone}.main` : "text.primary",
          }}
        >
          {value}
        </Box>
        {unit && (
          <Typography component="span" variant="caption" color="textSecondary">
            {unit}
          </Typography>
        )}
      </Box>
    </Box>
  );
}
