import Box from "@mui/material/Box";
import { seriesColor } from "@/ui/TrafficBar";
import type { ChartData } from "./panel";

interface Props {
  data: ChartData;
  /** The time whose values are told; null for none. */
  index: number | null;
  format: (value: number) => string;
}

const cell = {
  textAlign: "right",
  fontVariantNumeric: "tabular-nums",
  whiteSpace: "nowrap",
  py: 0.125,
} as const;

/** The lines with their values: a row for each group, a column for each kind. */
export function ChartLegend({ data, index, format }: Props) {
  const { groups, kinds } = data;
  const valueAt = (line: (number | null)[] | undefined) => (index === null ? null : line?.[index]);
  return (
    <Box
      component="table"
      sx={{ width: "100%", borderSpacing: "16px 0", mx: -1, fontSize: "0.75rem", color: "text.secondary" }}
    >
      {kinds.length > 1 && (
        <thead>
          <tr>
            <Box component="th" scope="col" sx={{ width: "99%" }}>
              <Box component="span" sx={{ position: "absolute", clipPath: "inset(50%)" }}>
                Predictor
              </Box>
            </Box>
            {kinds.map((kind) => (
              <Box component="th" scope="col" key={kind.label} sx={{ ...cell, fontWeight: 500 }}>
                <LineSample dash={kind.dash} /> {kind.label}
              </Box>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {groups.map((group) => (
          <tr key={group.label}>
            <Box component="th" scope="row" sx={{ textAlign: "left", fontWeight: 500, width: "99%" }}>
              <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
                <Box
                  component="span"
                  aria-hidden
                  sx={{ width: 9, height: 9, borderRadius: "3px", bgcolor: seriesColor(group.colorIndex) }}
                />
                {group.label}
              </Box>
            </Box>
            {kinds.map((kind, position) => {
              const value = valueAt(group.values[position]);
              return (
                <Box component="td" key={kind.label} sx={{ ...cell, color: "text.primary" }}>
                  {typeof value === "number" ? format(value) : "–"}
                </Box>
              );
            })}
          </tr>
        ))}
      </tbody>
    </Box>
  );
}

function LineSample({ dash }: { dash?: number[] }) {
  return (
    <svg width="18" height="6" aria-hidden="true" style={{ verticalAlign: "middle" }}>
      <line
        x1="0"
        y1="3"
        x2="18"
        y2="3"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeDasharray={dash?.join(" ")}
      />
    </svg>
  );
}
