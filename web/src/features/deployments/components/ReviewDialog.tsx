import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import LinearProgress from "@mui/material/LinearProgress";
import TextField from "@mui/material/TextField";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError, messageOf } from "@/api/problem";
import { DiffView } from "@/editor/CodeEditor";
import { useToasts } from "@/ui/Toast";
import { errorsOf } from "../form/useDryRun";
import { type ApplyResult, type Deployment, refreshDeployments } from "../queries";
import { ManifestErrors } from "./ManifestErrors";

interface Props {
  deployment: Deployment;
  /** What is to be done. */
  title: string;
  /** The manifest that is to be there; nothing while it is asked for. */
  manifest?: string;
  /** Why it cannot be. */
  refusal?: Error | null;
  /** What the history says where no comment is made. */
  placeholder?: string;
  /** Has it done, with a comment for the history. */
  send: (message: string) => Promise<ApplyResult>;
  onClose: () => void;
  onApplied?: () => void;
}

/** Shows what changes, and has it done. */
export function ReviewDialog({
  deployment,
  title,
  manifest,
  refusal,
  placeholder = "Why, for the history (optional)",
  send,
  onClose,
  onApplied,
}: Props) {
  const { generation, manifestYaml } = deployment;
  const [message, setMessage] = useState("");
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { succeed } = useToasts();
  const application = useMutation({
    mutationFn: () => send(message.trim()),
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
  const error = application.error ?? refusal;
  const canApply = manifest !== undefined && !application.isPending;
  return (
    <Dialog open onClose={onClose} maxWidth="md" fullWidth aria-labelledby="apply-title">
      <DialogTitle id="apply-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
        {title}: generation {generation} becomes {generation + 1}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2, gridTemplateRows: "minmax(0, 1fr) auto" }}>
        {manifest === undefined && !refusal && <LinearProgress aria-label="Asking what changes" />}
        {manifest !== undefined && (
          <DiffView
            label="Changes"
            language="yaml"
            before={manifestYaml}
            after={manifest}
            sx={{ minHeight: 160, maxHeight: "52vh", overflow: "auto" }}
          />
        )}
        <TextField
          label="Comment"
          placeholder={placeholder}
          value={message}
          onChange={({ target }) => setMessage(target.value)}
          autoFocus
          onKeyDown={(event) => {
            if (event.key === "Enter" && canApply) application.mutate();
          }}
          slotProps={{ inputLabel: { shrink: true } }}
          sx={{ mt: 0.5 }}
        />
        {error instanceof ApiError && <ManifestErrors errors={errorsOf(error)} />}
        {error && !(error instanceof ApiError) && <Alert severity="error">{messageOf(error)}</Alert>}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2.5 }}>
        <Button onClick={onClose}>Back</Button>
        <Button
          variant="contained"
          disabled={manifest === undefined}
          loading={application.isPending}
          onClick={() => application.mutate()}
        >
          Apply
        </Button>
      </DialogActions>
    </Dialog>
  );
}
