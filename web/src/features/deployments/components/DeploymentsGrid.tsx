import Box from "@mui/material/Box";
import { DataGrid, type GridColDef, type GridSortModel } from "@mui/x-data-grid";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { RouterLink } from "@/ui/RouterLinks";
import { StateChip } from "@/ui/StateChip";
import { formatAgo, formatTime } from "@/util/format";
import { useNow } from "@/util/useNow";
import type { DeploymentId, DeploymentSummary } from "../queries";
import { DeploymentActions } from "./DeploymentActions";
import { PredictorsCell } from "./PredictorsCell";

interface Props {
  deployments: DeploymentSummary[];
  scope: "all-namespaces" | "one-namespace";
  onDelete: (id: DeploymentId) => void;
}

const route = getRouteApi("/deployments");

const name: GridColDef<DeploymentSummary> = {
  field: "name",
  headerName: "Name",
  flex: 1.3,
  minWidth: 180,
  renderCell: ({ row, tabIndex }) => (
    <Box sx={{ minWidth: 0, lineHeight: 1.4 }}>
      <RouterLink
        to="/deployments/$namespace/$name"
        params={row}
        tabIndex={tabIndex}
        sx={{ fontWeight: 600, display: "block", overflow: "hidden", textOverflow: "ellipsis" }}
      >
        {row.name}
      </RouterLink>
      {!row.requestLog && (
        <Box component="span" sx={{ color: "text.secondary", fontSize: "0.75rem" }}>
          request log off
        </Box>
      )}
    </Box>
  ),
};

const namespace: GridColDef<DeploymentSummary> = {
  field: "namespace",
  headerName: "Namespace",
  flex: 0.8,
  minWidth: 120,
};

const state: GridColDef<DeploymentSummary> = {
  field: "state",
  headerName: "State",
  width: 124,
  renderCell: ({ row }) => <StateChip state={row.state} reason={row.description || undefined} />,
};

const predictors: GridColDef<DeploymentSummary> = {
  field: "predictors",
  headerName: "Predictors and traffic",
  flex: 2.4,
  minWidth: 300,
  sortable: false,
  renderCell: ({ row }) => <PredictorsCell deployment={row} />,
};

const actions = (onDelete: Props["onDelete"]): GridColDef<DeploymentSummary> => ({
  field: "actions",
  headerName: "Actions",
  width: 132,
  align: "right",
  headerAlign: "right",
  sortable: false,
  type: "actions",
  renderCell: (cell) => <DeploymentActions cell={cell} onDelete={onDelete} />,
});

const updated = (now: number): GridColDef<DeploymentSummary> => ({
  field: "updated",
  headerName: "Updated",
  width: 110,
  renderCell: ({ row }) => <span title={formatTime(row.updated)}>{formatAgo(row.updated, now)} ago</span>,
});

/** The deployments as a table. */
export function DeploymentsGrid({ deployments, scope, onDelete }: Props) {
  const now = useNow();
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const columns = useMemo(
    () => [
      name,
      ...(scope === "all-namespaces" ? [namespace] : []),
      state,
      predictors,
      updated(now),
      actions(onDelete),
    ],
    [scope, now, onDelete],
  );
  const open = (row: DeploymentSummary) =>
    void navigate({
      to: "/deployments/$namespace/$name",
      params: { namespace: row.namespace, name: row.name },
    });
  return (
    // As high as its rows, up to a screen.
    <Box sx={{ display: "flex", flexDirection: "column", maxHeight: "calc(100dvh - 150px)", minHeight: 0 }}>
      <DataGrid
        aria-label="Deployments"
        rows={deployments}
        columns={columns}
        getRowId={(row) => `${row.namespace}/${row.name}`}
        getRowHeight={() => "auto"}
        disableColumnMenu
        hideFooter={deployments.length <= 100}
        pageSizeOptions={[100]}
        initialState={{ pagination: { paginationModel: { pageSize: 100 } } }}
        sortModel={parseSort(sort)}
        onSortModelChange={([first]) =>
          void navigate({
            search: (before) => ({
              ...before,
              sort: first?.sort ? `${first.field}-${first.sort}` : undefined,
            }),
          })
        }
        onRowClick={({ row }) => open(row)}
        onCellKeyDown={({ row, field }, event) => {
          if (event.key === "Enter" && field !== "actions" && event.target === event.currentTarget) open(row);
        }}
        sx={{
          "& .MuiDataGrid-row": { cursor: "pointer" },
          "& .MuiDataGrid-cell": { py: 1, display: "flex", alignItems: "center" },
        }}
      />
    </Box>
  );
}

/** From the URL, as `updated-desc`; the server's order without. */
function parseSort(sort?: string): GridSortModel {
  const [, field = "name", direction = "asc"] = /^(\w+)-(asc|desc)$/.exec(sort ?? "") ?? [];
  return [{ field, sort: direction === "desc" ? "desc" : "asc" }];
}
