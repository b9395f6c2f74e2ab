import { DataGrid, type GridColDef } from "@mui/x-data-grid";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import type { LogColumn, LogRow } from "../columns";
import { isVisible } from "../visibility";
import { ValueCell } from "./ValueCell";

interface Props {
  columns: LogColumn[];
  rows: LogRow[];
  isLoading: boolean;
  /** The row whose details are open. */
  openRow?: string;
  onOpen: (row: LogRow) => void;
  onFilter: (added: string) => void;
}

const route = getRouteApi("/deployments/$namespace/$name/requests");

const WIDTHS: Record<string, number> = {
  time: 168,
  status: 68,
  predictor: 104,
  latency: 88,
  error: 220,
  request_id: 300,
  row: 84,
};

/** The rows as a table; features and predictions stand under headings of their own. */
export function RequestsGrid({ columns, rows, isLoading, openRow, onOpen, onFilter }: Props) {
  const search = route.useSearch();
  const definitions = useMemo(
    () => columns.map((column) => definition(column, onFilter)),
    [columns, onFilter],
  );
  const visibility = useMemo(
    () => Object.fromEntries(columns.map((column) => [column.name, isVisible(column, search)])),
    [columns, search],
  );
  const groups = useMemo(
    () => [
      heading(
        "request",
        "Request",
        columns.filter(({ group }) => group === "request"),
      ),
      heading(
        "features",
        "Features",
        columns.filter(({ group }) => group === "feature"),
      ),
      heading(
        "predictions",
        "Predictions",
        columns.filter(({ group }) => group === "output"),
      ),
      heading(
        "feedback",
        "Feedback",
        columns.filter(({ group }) => group === "feedback"),
      ),
    ],
    [columns],
  );
  return (
    <DataGrid
      aria-label="Requests"
      rows={rows}
      columns={definitions}
      columnVisibilityModel={visibility}
      columnGroupingModel={groups}
      columnGroupHeaderHeight={30}
      loading={isLoading}
      hideFooter
      disableColumnMenu
      disableColumnSorting
      disableColumnFilter
      rowSelectionModel={{ type: "include", ids: new Set(openRow ? [openRow] : []) }}
      onRowClick={({ row }) => onOpen(row)}
      onCellKeyDown={({ row }, event) => {
        if (event.key === "Enter") onOpen(row);
      }}
      slotProps={{ loadingOverlay: { variant: rows.length > 0 ? "linear-progress" : "skeleton" } }}
      sx={{
        flexGrow: 1,
        flexBasis: 0,
        minHeight: 300,
        bgcolor: "background.paper",
        fontVariantNumeric: "tabular-nums",
        "& .MuiDataGrid-row": { cursor: "pointer" },
        "& .MuiDataGrid-columnHeader--filledGroup": { fontWeight: 600 },
        "& .MuiDataGrid-columnHeader--filledGroup .MuiDataGrid-columnHeaderTitleContainer": {
          borderBottomColor: "divider",
        },
      }}
    />
  );
}

function definition(column: LogColumn, onFilter: Props["onFilter"]): GridColDef<LogRow> {
  const { name, label, group } = column;
  const isNumber = group !== "request" || name === "latency" || name === "row";
  return {
    field: name,
    headerName: label,
    valueGetter: (_value, row) => row.values[name],
    align: isNumber ? "right" : "left",
    headerAlign: isNumber ? "right" : "left",
    width: WIDTHS[name],
    ...(group === "request"
      ? {}
      : { flex: 1, minWidth: Math.min(220, Math.max(78, 28 + label.length * 6.6)) }),
    renderCell: ({ value }) => <ValueCell column={column} value={value} onFilter={onFilter} />,
  };
}

function heading(groupId: string, headerName: string, columns: LogColumn[]) {
  return { groupId, headerName, children: columns.map(({ name }) => ({ field: name })) };
}
