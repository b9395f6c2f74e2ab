import { zodResolver } from "@hookform/resolvers/zod";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Typography from "@mui/material/Typography";
import { useMemo, useState } from "react";
import { FormProvider, useForm } from "react-hook-form";
import { CanaryTrafficField } from "../form/CanaryTrafficField";
import { MessagesContext } from "../form/messages";
import { PredictorFields } from "../form/PredictorFields";
import { useDryRunOf } from "../form/useDryRun";
import { Verdict } from "../form/Verdict";
import { place } from "../manifest/field-paths";
import {
  type DeploymentValues,
  deploymentSchema,
  emptyValues,
  type PredictorValues,
  SKLEARN,
} from "../manifest/values";
import { changeDeployment, type Deployment } from "../queries";
import { addition, asCanary, type Change, freeName, type Role, rolesOf } from "../rollout";
import { ManifestErrors } from "./ManifestErrors";

interface Props {
  deployment: Deployment;
  role: Role;
  onClose: () => void;
  onReview: (change: Change) => void;
}

const SHARE = 10;

const notes: Record<Role, string> = {
  canary: "It is a copy of the main predictor that serves this model to a share of the requests.",
  shadow:
    "It is a copy of the main predictor that serves this model. It gets a copy of every request, and nobody sees its answers.",
};

/** Adds a predictor that takes a share of the traffic, or a copy of it. */
export function AddPredictorDialog({ deployment, role, onClose, onReview }: Props) {
  const { namespace, name, generation, predictors } = deployment;
  const { main, canaries } = rolesOf(predictors);
  const total = 100 - canaries.reduce((sum, canary) => sum + canary.desiredWeight, 0);
  const [initial] = useState(() => initialValues(deployment, Math.min(SHARE, total)));
  const form = useForm<DeploymentValues>({
    defaultValues: initial,
    resolver: zodResolver(deploymentSchema),
    mode: "onTouched",
  });
  const { canary, canaryTraffic } = form.watch();
  const added = freeName(role, predictors);
  const asked = (values: PredictorValues, share: number) => ({
    id: { namespace, name },
    generation,
    change: addition(role, added, values, share),
  });
  const wanted = asked(canary, canaryTraffic);
  const dryRun = useDryRunOf(wanted, asked(initial.canary, initial.canaryTraffic), ({ id, change }, signal) =>
    changeDeployment(id, change, { isDryRun: true }, signal),
  );
  const { errors, warnings } = dryRun;
  const placed = useMemo(
    () => ({
      errors: place(asCanary(errors, predictors.length), true),
      warnings: place(asCanary(warnings, predictors.length), true),
    }),
    [errors, warnings, predictors.length],
  );
  const messages = useMemo(
    () => ({ errors: placed.errors.byField, warnings: placed.warnings.byField }),
    [placed],
  );
  const submit = form.handleSubmit(() => onReview({ title: `Add a ${role}`, change: wanted.change }));
  return (
    <Dialog open onClose={onClose} maxWidth="sm" fullWidth aria-labelledby="add-title">
      <FormProvider {...form}>
        <form onSubmit={submit} noValidate>
          <DialogTitle id="add-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
            Add a {role} to {name}
          </DialogTitle>
          <DialogContent sx={{ display: "grid", gap: 2.25 }}>
            <Typography variant="body2" color="textSecondary">
              {notes[role]}
            </Typography>
            <MessagesContext value={messages}>
              {role === "canary" && (
                <CanaryTrafficField main={main?.name ?? "default"} canary={added} total={total} />
              )}
              <PredictorFields part="canary" hasRequests={false} />
            </MessagesContext>
            <Box aria-live="polite">
              <Verdict dryRun={dryRun} />
            </Box>
            <ManifestErrors errors={placed.errors.rest} />
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

/** What stands in the form at first; all of it but the new predictor is as in a deployment that is there. */
function initialValues({ namespace, name, predictors }: Deployment, canaryTraffic: number): DeploymentValues {
  const empty = emptyValues(namespace);
  const server = rolesOf(predictors).main?.implementation;
  const isOwnProgram = server === undefined || server === "UNKNOWN_IMPLEMENTATION";
  return {
    ...empty,
    name,
    main: { ...empty.main, modelUri: "-" },
    hasCanary: true,
    canary: { ...empty.canary, server: isOwnProgram ? SKLEARN : server },
    canaryTraffic,
  };
}
