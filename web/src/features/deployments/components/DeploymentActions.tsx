import { GridActionsCell, GridActionsCellItem, type GridRenderCellParams } from "@mui/x-data-grid";
import { useNavigate } from "@tanstack/react-router";
import { CodeIcon, DeleteIcon, HistoryIcon, RequestsIcon, SendIcon } from "@/ui/icons";
import type { DeploymentId, DeploymentSummary } from "../queries";

interface Props {
  cell: GridRenderCellParams<DeploymentSummary>;
  onDelete: (id: DeploymentId) => void;
}

/** What can be done with a deployment of the list; the arrow keys go through it. */
export function DeploymentActions({ cell, onDelete }: Props) {
  const { namespace, name } = cell.row;
  const navigate = useNavigate();
  const params = { namespace, name };
  return (
    <GridActionsCell {...cell}>
      <GridActionsCellItem
        icon={<SendIcon />}
        label={`Predict with ${name}`}
        title="Predict"
        onClick={() => void navigate({ to: "/deployments/$namespace/$name/predict", params })}
      />
      <GridActionsCellItem
        icon={<RequestsIcon />}
        label={`Requests of ${name}`}
        title="Requests"
        onClick={() => void navigate({ to: "/deployments/$namespace/$name/requests", params })}
      />
      <GridActionsCellItem
        showInMenu
        icon={<CodeIcon />}
        label="Manifest"
        onClick={() => void navigate({ to: "/deployments/$namespace/$name/manifest", params })}
      />
      <GridActionsCellItem
        showInMenu
        icon={<HistoryIcon />}
        label="History"
        onClick={() => void navigate({ to: "/deployments/$namespace/$name/history", params })}
      />
      <GridActionsCellItem
        showInMenu
        icon={<DeleteIcon />}
        label="Delete…"
        onClick={() => onDelete({ namespace, name })}
      />
    </GridActionsCell>
  );
}
