import { zodResolver } from "@hookform/resolvers/zod";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import { useMemo } from "react";
import { FormProvider, useForm } from "react-hook-form";
import { CanaryTrafficField } from "../form/CanaryTrafficField";
import { MessagesContext } from "../form/messages";
import { PredictorFields } from "../form/PredictorFields";
import { useDryRun } from "../form/useDryRun";
import { Verdict } from "../form/Verdict";
import { toYaml } from "../manifest/build";
import { addCanary } from "../manifest/change";
import { place } from "../manifest/field-paths";
import { type DeploymentValues, deploymentSchema, emptyValues } from "../manifest/values";
import type { Deployment } from "../queries";

interface Props {
  deployment: Deployment;
  onClose: () => void;
  onReview: (change: { title: string; manifest: Record<string, unknown> }) => void;
}

/** Adds a second predictor that takes a share of the traffic. */
export function CanaryDialog({ deployment, onClose, onReview }: Props) {
  const { namespace, name, manifest, predictors } = deployment;
  const server = predictors[0]?.implementation;
  const form = useForm<DeploymentValues>({
    defaultValues: canaryValues(namespace, name, server),
    resolver: zodResolver(deploymentSchema),
    mode: "onTouched",
  });
  const { canary, canaryTraffic } = form.watch();
  const changed = addCanary(manifest, canary, canaryTraffic);
  const dryRun = useDryRun(
    toYaml(changed),
    toYaml(addCanary(manifest, canaryValues(namespace, name, server).canary, 10)),
  );
  const messages = useMemo(
    () => ({ errors: place(dryRun.errors, true).byField, warnings: place(dryRun.warnings, true).byField }),
    [dryRun.errors, dryRun.warnings],
  );
  const submit = form.handleSubmit(() => onReview({ title: "Add a canary", manifest: changed }));
  return (
    <Dialog open onClose={onClose} maxWidth="sm" fullWidth aria-labelledby="canary-title">
      <FormProvider {...form}>
        <form onSubmit={submit} noValidate>
          <DialogTitle id="canary-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
            Add a canary to {name}
          </DialogTitle>
          <DialogContent>
            <MessagesContext value={messages}>
              <Box sx={{ display: "grid", gap: 2.25, pt: 1 }}>
                <CanaryTrafficField main={predictors[0]?.name ?? "default"} />
                <PredictorFields part="canary" />
              </Box>
            </MessagesContext>
            <Box sx={{ mt: 2 }} aria-live="polite">
              <Verdict dryRun={dryRun} />
            </Box>
          </DialogContent>
          <DialogActions sx={{ px: 3, pb: 2.5 }}>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="contained" disabled={dryRun.state === "invalid"}>
              Review…
            </Button>
          </DialogActions>
        </form>
      </FormProvider>
    </Dialog>
  );
}

/** The form's fields but for the canary's are those of a deployment that is there. */
function canaryValues(namespace: string, name: string, server?: string): DeploymentValues {
  const empty = emptyValues(namespace);
  return {
    ...empty,
    name,
    main: { ...empty.main, modelUri: "-" },
    hasCanary: true,
    canary: { ...empty.canary, server: server ?? empty.canary.server },
  };
}
