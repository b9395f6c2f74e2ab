import Divider from "@mui/material/Divider";
import IconButton from "@mui/material/IconButton";
import ListItemIcon from "@mui/material/ListItemIcon";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import Tooltip from "@mui/material/Tooltip";
import { createLink } from "@tanstack/react-router";
import { useState } from "react";
import { CodeIcon, DeleteIcon, HistoryIcon, MoreIcon, RequestsIcon, SendIcon } from "@/ui/icons";
import { LinkMenuItem } from "@/ui/RouterLinks";
import type { DeploymentId, DeploymentSummary } from "../queries";

const IconLink = createLink(IconButton);

interface Props {
  deployment: DeploymentSummary;
  /** Of the table's cell, which passes the focus on. */
  tabIndex: number;
  onDelete: (id: DeploymentId) => void;
}

/** What can be done with a deployment of the list. */
export function DeploymentActions({ deployment, tabIndex, onDelete }: Props) {
  const { namespace, name } = deployment;
  const params = { namespace, name };
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const close = () => setAnchor(null);
  return (
    // A click here does not open the row.
    <Stack direction="row" spacing={0.25} onClick={(event) => event.stopPropagation()}>
      <Tooltip title="Predict">
        <IconLink
          aria-label={`Predict with ${name}`}
          to="/deployments/$namespace/$name/predict"
          params={params}
          tabIndex={tabIndex}
        >
          <SendIcon sx={{ fontSize: 17 }} />
        </IconLink>
      </Tooltip>
      <Tooltip title="Requests">
        <IconLink
          aria-label={`Requests of ${name}`}
          to="/deployments/$namespace/$name/requests"
          params={params}
          tabIndex={-1}
        >
          <RequestsIcon sx={{ fontSize: 17 }} />
        </IconLink>
      </Tooltip>
      <Tooltip title="More">
        <IconButton
          aria-label={`More for ${name}`}
          aria-haspopup="menu"
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <MoreIcon sx={{ fontSize: 17 }} />
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={close}>
        <LinkMenuItem to="/deployments/$namespace/$name/manifest" params={params}>
          <ListItemIcon>
            <CodeIcon />
          </ListItemIcon>
          Manifest
        </LinkMenuItem>
        <LinkMenuItem to="/deployments/$namespace/$name/history" params={params}>
          <ListItemIcon>
            <HistoryIcon />
          </ListItemIcon>
          History
        </LinkMenuItem>
        <Divider />
        <MenuItem
          onClick={() => {
            close();
            onDelete({ namespace, name });
          }}
        >
          <ListItemIcon>
            <DeleteIcon />
          </ListItemIcon>
          Delete…
        </MenuItem>
      </Menu>
    </Stack>
  );
}
