import Button from "@mui/material/Button";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { DeleteIcon, EditIcon } from "@/ui/icons";
import { LinkButton } from "@/ui/RouterLinks";
import type { Deployment } from "../queries";
import { DeleteDialog } from "./DeleteDialog";

/** What can be done with a deployment. */
export function DeploymentMenu({ deployment }: { deployment: Deployment }) {
  const { namespace, name } = deployment;
  const navigate = useNavigate();
  const [isDeleting, setIsDeleting] = useState(false);
  return (
    <>
      <LinkButton
        variant="outlined"
        startIcon={<EditIcon />}
        to="/deployments/$namespace/$name/manifest"
        params={{ namespace, name }}
      >
        Update
      </LinkButton>
      <Button variant="outlined" color="error" startIcon={<DeleteIcon />} onClick={() => setIsDeleting(true)}>
        Delete
      </Button>
      {isDeleting && (
        <DeleteDialog
          id={{ namespace, name }}
          onClose={() => setIsDeleting(false)}
          onDeleted={() => navigate({ to: "/deployments", search: { namespace } })}
        />
      )}
    </>
  );
}
