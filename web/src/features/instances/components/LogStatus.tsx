import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { Prose } from "@/ui/Prose";
import { count, formatNumber } from "@/util/format";
import { droppedOf, LINES_MAX } from "../log/buffer";
import type { ReadingStatus } from "../log/describe";
import type { LogLine } from "../log/lines";

interface Props {
  status: ReadingStatus;
  lines: readonly LogLine[];
  shown: readonly LogLine[];
  isFiltered: boolean;
  onAgain: () => void;
}

/** How reading goes, and how much of the log is here. */
export function LogStatus({ status, lines, shown, isFiltered, onAgain }: Props) {
  const { tone, word, detail, canTryAgain } = status;
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "center",
        flexWrap: "wrap",
        columnGap: 1.5,
        px: 2,
        minHeight: 34,
        fontSize: "0.75rem",
        color: "text.secondary",
        bgcolor: "console.well",
        borderBottom: 1,
        borderColor: "divider",
      }}
    >
      <Box role="status" sx={{ display: "flex", gap: 1.5, minWidth: 0, flexWrap: "wrap" }}>
        <Box
          component="span"
          sx={{
            display: "inline-flex",
            alignItems: "center",
            gap: 0.75,
            fontWeight: 600,
            color: `console.status.${tone}.main`,
          }}
        >
          <Box
            component="span"
            aria-hidden
            sx={{ width: 8, height: 8, borderRadius: 99, bgcolor: "currentColor" }}
          />
          {word}
        </Box>
        {detail && (
          <Box component="span" sx={{ overflowWrap: "anywhere", minWidth: 0 }}>
            <Prose text={detail} />
          </Box>
        )}
      </Box>
      {canTryAgain && (
        <Button size="small" onClick={onAgain} sx={{ minHeight: 26, fontSize: "0.75rem" }}>
          Try now
        </Button>
      )}
      <Box sx={{ flexGrow: 1 }} />
      <Box component="span" sx={{ fontVariantNumeric: "tabular-nums" }}>
        {howMany(lines, shown, isFiltered)}
      </Box>
    </Box>
  );
}

function howMany(lines: readonly LogLine[], shown: readonly LogLine[], isFiltered: boolean): string {
  if (lines.length === 0) return "";
  const all = isFiltered
    ? `${formatNumber(shown.length)} of ${count(lines.length, "line")}`
    : count(lines.length, "line");
  const dropped = droppedOf(lines);
  if (dropped > 0) return `${all}; ${formatNumber(dropped)} older ones were dropped`;
  return lines.length === LINES_MAX ? `${all}; there may be older ones` : all;
}
