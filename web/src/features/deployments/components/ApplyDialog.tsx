import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError, messageOf } from "@/api/problem";
import { DiffView } from "@/editor/CodeEditor";
import { useToasts } from "@/ui/Toast";
import { errorsOf } from "../form/useDryRun";
import { applyManifest, type Deployment, refreshDeployments } from "../queries";
import { ManifestErrors } from "./ManifestErrors";

interface Props {
  deployment: Deployment;
  /** What is to be done, for the title. */
  title?: string;
  /** What is there; the deployment's manifest without. */
  before?: string;
  /** What is to be there. */
  manifest: string;
  onClose: () => void;
  onApplied?: () => void;
}

/** Shows what changes, and applies it. */
export function ApplyDialog({ deployment, title, before, manifest, onClose, onApplied }: Props) {
  const { name, generation, manifestYaml } = deployment;
  const [message, setMessage] = useState("");
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { succeed } = useToasts();
  const application = useMutation({
    mutationFn: () => applyManifest({ manifest, message: message.trim() }),
    onSuccess: async ({ applied }) => {
      const [first] = applied;
      await refreshDeployments(queryClient, deployment);
      onApplied?.();
      onClose();
      if (!first) return;
      succeed(`Applied ${first.namespace}/${first.name}: generation ${first.generation}.`);
      await navigate({
        to: "/deployments/$namespace/$name",
        params: { namespace: first.namespace, name: first.name },
      });
    },
  });
  const { error } = application;
  return (
    <Dialog open onClose={onClose} maxWidth="md" fullWidth aria-labelledby="apply-title">
      <DialogTitle id="apply-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
        {title ?? `Apply to ${name}`}: generation {generation} becomes {generation + 1}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2, gridTemplateRows: "minmax(160px, 1fr) auto" }}>
        <DiffView
          label="Changes"
          language="yaml"
          before={before ?? manifestYaml}
          after={manifest}
          sx={{ maxHeight: "52vh", overflow: "auto" }}
        />
        <TextField
          label="Comment"
          placeholder="Why, for the history (optional)"
          value={message}
          onChange={({ target }) => setMessage(target.value)}
          autoFocus
          onKeyDown={(event) => {
            if (event.key === "Enter") application.mutate();
          }}
          slotProps={{ inputLabel: { shrink: true } }}
          sx={{ mt: 0.5 }}
        />
        {error instanceof ApiError && <ManifestErrors errors={errorsOf(error)} />}
        {error && !(error instanceof ApiError) && <Alert severity="error">{messageOf(error)}</Alert>}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2.5 }}>
        <Button onClick={onClose}>Back</Button>
        <Button variant="contained" loading={application.isPending} onClick={() => application.mutate()}>
          Apply
        </Button>
      </DialogActions>
    </Dialog>
  );
}
