import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { CodeEditor } from "@/editor/CodeEditor";
import { CopyButton } from "@/ui/CopyButton";
import { useDryRun } from "../form/useDryRun";
import { Verdict } from "../form/Verdict";
import { marksOf } from "../manifest/marks";
import type { Deployment } from "../queries";
import { ApplyDialog } from "./ApplyDialog";
import { ManifestErrors } from "./ManifestErrors";

interface Props {
  deployment: Deployment;
  /** What to begin with, if not with the manifest as it is. */
  draft?: string;
  /** The generation that the draft is of. */
  draftGeneration?: number;
}

/** Edits the manifest: what is wrong shows as it is typed, and what changes shows before it is applied. */
export function ManifestEditor({ deployment, draft, draftGeneration }: Props) {
  const { namespace, name, generation, manifestYaml } = deployment;
  const navigate = useNavigate();
  // What the edits are against; it stays when somebody else changes the deployment.
  const [base, setBase] = useState(generation);
  const [edited, setEdited] = useState(draft);
  const [isReviewing, setIsReviewing] = useState(false);
  const text = edited ?? manifestYaml;
  const isChanged = text !== manifestYaml;
  const isOutdated = edited !== undefined && isChanged && base !== generation;
  const dryRun = useDryRun(text, manifestYaml);
  const marks = useMemo(
    () => marksOf(text, dryRun.errors, dryRun.warnings),
    [text, dryRun.errors, dryRun.warnings],
  );

  const edit = (next: string) => {
    if (edited === undefined) setBase(generation);
    setEdited(next);
  };
  const reset = () => {
    setEdited(undefined);
    setBase(generation);
    void navigate({
      to: "/deployments/$namespace/$name/manifest",
      params: { namespace, name },
      replace: true,
    });
  };
  const canApply = isChanged && dryRun.state !== "invalid";

  return (
    <Box sx={{ display: "flex", flexDirection: "column", gap: 1.5, flexGrow: 1, minHeight: 420 }}>
      <Box sx={{ display: "flex", alignItems: "center", gap: 1, flexWrap: "wrap" }}>
        <Box aria-live="polite" sx={{ flexGrow: 1 }}>
          <Verdict
            dryRun={dryRun}
            validText={`Valid, but of another name than ${namespace}/${name}: it creates a new deployment.`}
          />
        </Box>
        <CopyButton text={text} what="manifest" variant="button" />
        <Button variant="outlined" disabled={!isChanged} onClick={reset}>
          Discard changes
        </Button>
        <Button variant="contained" disabled={!canApply} onClick={() => setIsReviewing(true)}>
          Review and apply…
        </Button>
      </Box>
      {draftGeneration !== undefined && isChanged && (
        <Alert severity="info">
          {draft === undefined
            ? `The manifest of generation ${draftGeneration} is no longer kept.`
            : `This is the manifest of generation ${draftGeneration}. Applying it makes generation ${generation + 1}.`}
        </Alert>
      )}
      {isOutdated && (
        <Alert
          severity="warning"
          action={
            <Button color="inherit" onClick={() => setBase(generation)}>
              Keep my edits
            </Button>
          }
        >
          The deployment was changed meanwhile: it is at generation {generation}, your edits began at {base}.
          Review shows what they would undo.
        </Alert>
      )}
      <CodeEditor
        label="Manifest"
        language="yaml"
        value={text}
        onChange={edit}
        onSubmit={() => canApply && setIsReviewing(true)}
        marks={marks}
        sx={{ flexGrow: 1, flexBasis: 0, minHeight: 320 }}
      />
      <ManifestErrors errors={dryRun.errors} />
      {isReviewing && (
        <ApplyDialog
          deployment={deployment}
          manifest={text}
          onClose={() => setIsReviewing(false)}
          onApplied={() => setEdited(undefined)}
        />
      )}
    </Box>
  );
}
