import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { messageOf } from "@/api/problem";
import type { Deployment } from "@/features/deployments/queries";
import { CloseIcon, SendIcon } from "@/ui/icons";
import { LinkButton } from "@/ui/RouterLinks";
import { describeColumns, rowsOf } from "../columns";
import { requestQuery } from "../queries";
import { RequestDetail } from "./RequestDetail";

interface Props {
  deployment: Deployment;
  /** `<request id>:<row>`; nothing is shown without. */
  rowId?: string;
  onClose: () => void;
  onFilter: (added: string) => void;
}

/** Everything about one row, beside the log. */
export function RequestDrawer({ deployment, rowId, onClose, onFilter }: Props) {
  return (
    <Drawer
      anchor="right"
      open={rowId !== undefined}
      onClose={onClose}
      slotProps={{
        paper: {
          "aria-label": "Request",
          sx: { width: { xs: "100%", sm: 520 }, borderLeft: 1, borderColor: "divider" },
        },
      }}
    >
      <Box
        component="header"
        sx={{
          position: "sticky",
          top: 0,
          zIndex: 1,
          display: "flex",
          alignItems: "center",
          gap: 1,
          px: 2.5,
          minHeight: 56,
          bgcolor: "background.paper",
          borderBottom: 1,
          borderColor: "divider",
        }}
      >
        <Typography variant="h2" sx={{ flexGrow: 1 }}>
          Request
        </Typography>
        <LinkButton
          variant="outlined"
          startIcon={<SendIcon />}
          to="/deployments/$namespace/$name/predict"
          params={{ namespace: deployment.namespace, name: deployment.name }}
          search={{ like: rowId }}
        >
          Predict again
        </LinkButton>
        <IconButton aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </IconButton>
      </Box>
      {rowId !== undefined && <Loaded deployment={deployment} rowId={rowId} onFilter={onFilter} />}
    </Drawer>
  );
}

function Loaded({ deployment, rowId, onFilter }: Omit<Props, "onClose"> & { rowId: string }) {
  const requestId = rowId.slice(0, rowId.lastIndexOf(":"));
  const { data: page, error } = useQuery(requestQuery(deployment, requestId));
  if (error)
    return (
      <Alert severity="error" sx={{ m: 2.5 }}>
        {messageOf(error)}
      </Alert>
    );
  if (!page) return <Skeleton variant="rounded" height={240} sx={{ m: 2.5 }} />;
  const rows = rowsOf(page).sort((a, b) => a.row - b.row);
  const row = rows.find((one) => one.id === rowId);
  if (!row)
    return (
      <Alert severity="info" sx={{ m: 2.5 }}>
        This request is no longer in the log.
      </Alert>
    );
  return (
    <RequestDetail
      deployment={deployment}
      row={row}
      siblings={rows}
      columns={describeColumns(page)}
      onFilter={onFilter}
    />
  );
}
