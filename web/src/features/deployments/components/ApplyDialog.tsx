import { applyManifest, type Deployment } from "../queries";
import { ReviewDialog } from "./ReviewDialog";

interface Props {
  deployment: Deployment;
  /** What is to be there. */
  manifest: string;
  onClose: () => void;
  onApplied?: () => void;
}

/** Shows what an edited manifest changes, and applies it. */
export function ApplyDialog({ deployment, manifest, onClose, onApplied }: Props) {
  return (
    <ReviewDialog
      deployment={deployment}
      title={`Apply to ${deployment.name}`}
      manifest={manifest}
      send={(message) => applyManifest({ manifest, message })}
      onClose={onClose}
      onApplied={onApplied}
    />
  );
}
