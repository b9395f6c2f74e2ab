import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import ToggleButton from "@mui/material/ToggleButton";
import Tooltip from "@mui/material/Tooltip";
import { getRouteApi } from "@tanstack/react-router";
import { PauseIcon, PlayIcon, RefreshIcon } from "@/ui/icons";
import type { LogColumn } from "../columns";
import { firstPage } from "../search";
import { ColumnsMenu } from "./ColumnsMenu";
import { FilterField } from "./FilterField";
import { TimeRange } from "./TimeRange";

interface Props {
  columns: LogColumn[];
  /** What is wrong with the filter. */
  filterError?: string;
  isFetching: boolean;
  onRefresh: () => void;
}

const route = getRouteApi("/deployments/$namespace/$name/requests");

/** Which rows are shown, and how they are kept up to date. */
export function FilterBar({ columns, filterError, isFetching, onRefresh }: Props) {
  const { live } = route.useSearch();
  const navigate = route.useNavigate();
  const isLive = live === "on";
  return (
    <Box sx={{ display: "flex", gap: 1.25, flexWrap: "wrap", alignItems: "flex-start" }}>
      <TimeRange />
      <FilterField columns={columns} error={filterError} />
      <Tooltip title={isLive ? "New requests come in by themselves" : "Show new requests as they come"}>
        <ToggleButton
          value="live"
          selected={isLive}
          color={isLive ? "primary" : undefined}
          onChange={() =>
            void navigate({
              search: (before) => ({ ...firstPage(before), live: isLive ? undefined : "on" }),
              replace: true,
            })
          }
          sx={{ gap: 0.75, minHeight: 36 }}
        >
          {isLive ? <PauseIcon sx={{ fontSize: 16 }} /> : <PlayIcon sx={{ fontSize: 16 }} />}
          Live
        </ToggleButton>
      </Tooltip>
      <Tooltip title="Refresh">
        <span>
          <IconButton
            aria-label="Refresh"
            onClick={onRefresh}
            disabled={isFetching && !isLive}
            sx={{ height: 36, width: 36 }}
          >
            <RefreshIcon sx={{ fontSize: 18 }} />
          </IconButton>
        </span>
      </Tooltip>
      <ColumnsMenu columns={columns} />
    </Box>
  );
}
