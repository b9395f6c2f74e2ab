import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import IconButton from "@mui/material/IconButton";
import Popover from "@mui/material/Popover";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { HelpIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import type { LogColumn } from "../columns";

interface Props {
  columns: LogColumn[];
  onInsert: (column: string) => void;
}

const examples = [
  ["status >= 400", "requests that failed"],
  ["predictor = 'canary' AND y.t:2 > 0.9", "what the canary is sure of"],
  ['"x.Sepal length" < 5 OR "x.Sepal length" > 7', "names with blanks stand in double quotes"],
] as const;

/** Most columns that are offered. */
const COLUMNS_MAX = 60;

/** How filters are written, and the names of the columns. */
export function FilterHelp({ columns, onInsert }: Props) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <Tooltip title="How filters are written">
        <IconButton
          aria-label="How filters are written"
          aria-haspopup="dialog"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <HelpIcon sx={{ fontSize: 17 }} />
        </IconButton>
      </Tooltip>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
        transformOrigin={{ vertical: "top", horizontal: "right" }}
        slotProps={{
          paper: {
            role: "dialog",
            "aria-label": "How filters are written",
            sx: { p: 2, width: 460, border: 1, borderColor: "divider" },
          },
        }}
      >
        <Typography variant="h3" gutterBottom>
          Filters
        </Typography>
        <Typography variant="body2" color="textSecondary">
          Compare columns with <Mono>= != &lt; &lt;= &gt; &gt;=</Mono>, join with <Mono>AND</Mono>,{" "}
          <Mono>OR</Mono> and brackets. Text stands in single quotes; latency is in seconds.
        </Typography>
        <Box component="dl" sx={{ my: 1.5, display: "grid", gap: 0.75, fontSize: "0.8125rem" }}>
          {examples.map(([example, meaning]) => (
            <Box key={example}>
              <dt>
                <Mono>{example}</Mono>
              </dt>
              <Box component="dd" sx={{ m: 0, color: "text.secondary", fontSize: "0.75rem" }}>
                {meaning}
              </Box>
            </Box>
          ))}
        </Box>
        {columns.length > 0 && (
          <>
            <Typography variant="h3" gutterBottom>
              Columns
            </Typography>
            <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.75, maxHeight: 180, overflow: "auto" }}>
              {columns.slice(0, COLUMNS_MAX).map(({ name }) => (
                <Chip
                  key={name}
                  size="small"
                  variant="outlined"
                  label={<Mono>{name}</Mono>}
                  onClick={() => {
                    onInsert(name);
                    setAnchor(null);
                  }}
                />
              ))}
            </Box>
          </>
        )}
      </Popover>
    </>
  );
}
