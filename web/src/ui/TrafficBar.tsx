import Box from "@mui/material/Box";
import Tooltip from "@mui/material/Tooltip";

export interface TrafficShare {
  name: string;
  /** Percent of the traffic. */
  weight: number;
}

interface Props {
  shares: TrafficShare[];
  height?: number;
}

/** The number of series colours there are. */
const COLORS = 8;

/** The colour of the n-th predictor, the same wherever it is shown. */
export function seriesColor(index: number): string {
  return `var(--mui-palette-console-series-${index % COLORS})`;
}

/** How the traffic is split, to scale. */
export function TrafficBar({ shares, height = 8 }: Props) {
  const label = shares.map(({ name, weight }) => `${name} ${weight} %`).join(", ");
  return (
    <Tooltip title={label}>
      <Box
        role="img"
        aria-label={`Traffic: ${label}`}
        sx={{
          display: "flex",
          gap: "2px",
          height,
          width: "100%",
          borderRadius: 99,
          overflow: "hidden",
          bgcolor: "console.status.unknown.soft",
        }}
      >
        {shares.map(({ name, weight }, index) => (
          <Box
            key={name}
            sx={{
              width: `${weight}%`,
              minWidth: weight > 0 ? 3 : 0,
              transition: "width 400ms ease",
              bgcolor: seriesColor(index),
            }}
          />
        ))}
      </Box>
    </Tooltip>
  );
}

/** The mark of the n-th predictor. */
export function SeriesMark({ index }: { index: number }) {
  return (
    <Box
      component="span"
      aria-hidden
      sx={{
        display: "inline-block",
        width: 9,
        height: 9,
        borderRadius: "3px",
        bgcolor: seriesColor(index),
        flexShrink: 0,
      }}
    />
  );
}
