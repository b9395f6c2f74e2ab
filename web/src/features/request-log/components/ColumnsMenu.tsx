import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import FormControlLabel from "@mui/material/FormControlLabel";
import Popover from "@mui/material/Popover";
import Typography from "@mui/material/Typography";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { ColumnsIcon } from "@/ui/icons";
import type { ColumnGroup, LogColumn } from "../columns";
import { isVisible, toggleColumn } from "../visibility";

const route = getRouteApi("/deployments/$namespace/$name/requests");

const groups: { group: ColumnGroup; label: string }[] = [
  { group: "request", label: "Request" },
  { group: "feature", label: "Features" },
  { group: "output", label: "Predictions" },
  { group: "feedback", label: "Feedback" },
];

/** Which columns are shown. */
export function ColumnsMenu({ columns }: { columns: LogColumn[] }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const hidden = columns.filter((column) => !isVisible(column, search)).length;
  return (
    <>
      <Button
        variant="outlined"
        startIcon={<ColumnsIcon />}
        aria-haspopup="dialog"
        onClick={(event) => setAnchor(event.currentTarget)}
        disabled={columns.length === 0}
        sx={{ minHeight: 36 }}
      >
        Columns{hidden > 0 && ` (${columns.length - hidden} of ${columns.length})`}
      </Button>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
        transformOrigin={{ vertical: "top", horizontal: "right" }}
        slotProps={{
          paper: {
            role: "dialog",
            "aria-label": "Columns",
            sx: { p: 2, width: 300, maxHeight: "70vh", border: 1, borderColor: "divider" },
          },
        }}
      >
        {groups.map(({ group, label }) => (
          <Box key={group} role="group" aria-label={label} sx={{ display: "grid", mb: 1 }}>
            <Typography variant="h3" gutterBottom>
              {label}
            </Typography>
            {columns
              .filter((column) => column.group === group)
              .map((column) => (
                <FormControlLabel
                  key={column.name}
                  label={column.label}
                  slotProps={{ typography: { variant: "body2", sx: { overflowWrap: "anywhere" } } }}
                  control={
                    <Checkbox
                      size="small"
                      checked={isVisible(column, search)}
                      onChange={() =>
                        void navigate({ search: (before) => toggleColumn(column, before), replace: true })
                      }
                      sx={{ py: 0.25 }}
                    />
                  }
                />
              ))}
          </Box>
        ))}
        <Button
          onClick={() =>
            void navigate({
              search: (before) => ({ ...before, show: undefined, hide: undefined }),
              replace: true,
            })
          }
        >
          As at first
        </Button>
      </Popover>
    </>
  );
}
