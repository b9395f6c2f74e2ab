import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import type { Deployment } from "@/features/deployments/queries";
import { CodeBlock } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { curlCommand } from "@/util/shell";

interface Props {
  deployment: Deployment;
  body: string;
  predictor?: string;
  onClose: () => void;
}

/** The request as a command to copy. */
export function CurlDialog({ deployment, body, predictor, onClose }: Props) {
  const url = new URL(deployment.predictPath, window.location.origin).href;
  const command = curlCommand({ url, body, predictor });
  return (
    <Dialog open onClose={onClose} maxWidth="md" fullWidth aria-labelledby="curl-title">
      <DialogTitle id="curl-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
        The request as a command
      </DialogTitle>
      <DialogContent>
        <CodeBlock what="curl command" text={command} />
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2.5 }}>
        <Button onClick={onClose}>Close</Button>
        <CopyButton text={command} what="command" variant="button" />
      </DialogActions>
    </Dialog>
  );
}
