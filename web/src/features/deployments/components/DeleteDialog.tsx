import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { messageOf } from "@/api/problem";
import { useToasts } from "@/ui/Toast";
import { type DeploymentId, deleteDeployment, refreshDeployments } from "../queries";

interface Props {
  id: DeploymentId;
  onClose: () => void;
  /** Called once it is deleted, before the lists are read again. */
  onDeleted?: () => Promise<unknown>;
}

/** Asks for the name before a deployment is deleted. */
export function DeleteDialog({ id, onClose, onDeleted }: Props) {
  const [typed, setTyped] = useState("");
  const [message, setMessage] = useState("");
  const queryClient = useQueryClient();
  const { succeed } = useToasts();
  const deletion = useMutation({
    mutationFn: () => deleteDeployment(id, message.trim()),
    onSuccess: async () => {
      succeed(`Deleted ${id.namespace}/${id.name}.`);
      await onDeleted?.();
      onClose();
      await refreshDeployments(queryClient);
    },
  });
  const isConfirmed = typed === id.name;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isConfirmed) deletion.mutate();
  };
  return (
    <Dialog open onClose={onClose} maxWidth="xs" fullWidth aria-labelledby="delete-title">
      <form onSubmit={submit}>
        <DialogTitle id="delete-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
          Delete {id.name}?
        </DialogTitle>
        <DialogContent sx={{ display: "grid", gap: 2 }}>
          <Typography variant="body2">
            It stops serving once the requests under way are answered. Its request log stays until it is too
            old.
          </Typography>
          {deletion.isError && <Alert severity="error">{messageOf(deletion.error)}</Alert>}
          <TextField
            label={`Type ${id.name} to confirm`}
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
            autoFocus
            autoComplete="off"
            slotProps={{ htmlInput: { spellCheck: false } }}
          />
          <TextField
            label="Why (for the history)"
            value={message}
            onChange={({ target }) => setMessage(target.value)}
          />
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2.5 }}>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="contained"
            color="error"
            disabled={!isConfirmed}
            loading={deletion.isPending}
          >
            Delete deployment
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
