import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useMemo, useState } from "react";
import { FormProvider } from "react-hook-form";
import { ApiError, messageOf } from "@/api/problem";
import { PageHeader } from "@/ui/PageHeader";
import { LinkButton } from "@/ui/RouterLinks";
import { Section } from "@/ui/Section";
import { useToasts } from "@/ui/Toast";
import { CanaryFields } from "./form/CanaryFields";
import { CreateActions } from "./form/CreateActions";
import { DetailsFields } from "./form/DetailsFields";
import { ManifestPanel } from "./form/ManifestPanel";
import { MessagesContext } from "./form/messages";
import { PredictorFields } from "./form/PredictorFields";
import { useDryRun } from "./form/useDryRun";
import { useManifest } from "./form/useManifest";
import { place } from "./manifest/field-paths";
import { emptyValues } from "./manifest/values";
import { applyManifest, refreshDeployments } from "./queries";

const route = getRouteApi("/create");

/** Creates a deployment: a form beside the manifest that it makes. */
export function CreatePage() {
  const { namespace = "default" } = route.useSearch();
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const { succeed } = useToasts();
  const [message, setMessage] = useState("");
  const { form, initialText, text, edit, discardEdits, isInForm } = useManifest(emptyValues(namespace));
  const dryRun = useDryRun(text, initialText);
  const hasCanary = form.watch("hasCanary");

  const creation = useMutation({
    mutationFn: () => applyManifest({ manifest: text, message: message.trim() }),
    onSuccess: async ({ applied: [first] }) => {
      if (!first) return;
      await refreshDeployments(queryClient, first);
      succeed(`${first.action === "created" ? "Created" : "Updated"} ${first.namespace}/${first.name}.`);
      await navigate({ to: "/deployments/$namespace/$name", params: first });
    },
  });
  const create = () => creation.mutate();
  // A manifest beyond the form is checked by the server alone.
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (isInForm) void form.handleSubmit(create)();
    else create();
  };

  const errors = useMemo(() => place(dryRun.errors, hasCanary), [dryRun.errors, hasCanary]);
  const warnings = useMemo(() => place(dryRun.warnings, hasCanary), [dryRun.warnings, hasCanary]);
  const messages = useMemo(
    () => ({ errors: errors.byField, warnings: warnings.byField }),
    [errors, warnings],
  );
  const isFieldless =
    creation.error && !(creation.error instanceof ApiError && creation.error.status === 422);
  return (
    <>
      <PageHeader
        title="Create deployment"
        description="Say where the model's files are; the manifest on the right is what will be applied."
        actions={
          <LinkButton variant="outlined" to="/deployments">
            Cancel
          </LinkButton>
        }
      />
      <FormProvider {...form}>
        <Box
          component="form"
          noValidate
          onSubmit={submit}
          aria-label="Create deployment"
          sx={{
            display: "grid",
            gap: 2.5,
            alignItems: "start",
            gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "minmax(0, 1fr) minmax(0, 1fr)" },
          }}
        >
          <Box sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>
            {!isInForm && (
              <Alert
                severity="info"
                action={
                  <Button color="inherit" onClick={discardEdits}>
                    Back to the form
                  </Button>
                }
              >
                The manifest says more than this form can show. Go on in the manifest, or go back and lose its
                edits.
              </Alert>
            )}
            <MessagesContext value={messages}>
              <Box
                component="fieldset"
                disabled={!isInForm}
                inert={!isInForm}
                sx={{
                  border: 0,
                  m: 0,
                  p: 0,
                  minWidth: 0,
                  display: "grid",
                  gap: 2.5,
                  opacity: isInForm ? 1 : 0.5,
                }}
              >
                <DetailsFields />
                <Section title="Predictor" note="default">
                  <Box sx={{ pt: 0.5 }}>
                    <PredictorFields part="main" />
                  </Box>
                </Section>
                <CanaryFields />
              </Box>
            </MessagesContext>
          </Box>
          <Box
            sx={{
              position: { lg: "sticky" },
              top: 76,
              height: { xs: 480, lg: "calc(100dvh - 190px)" },
              minHeight: 420,
              display: "flex",
              flexDirection: "column",
              gap: 2,
            }}
          >
            <ManifestPanel
              text={text}
              onEdit={edit}
              onSubmit={submit}
              dryRun={dryRun}
              unplaced={isInForm ? errors.rest : dryRun.errors}
            />
            {isFieldless && <Alert severity="error">{messageOf(creation.error)}</Alert>}
            <CreateActions
              message={message}
              onMessage={setMessage}
              isPending={creation.isPending}
              isUpdate={dryRun.action === "configured"}
            />
          </Box>
        </Box>
      </FormProvider>
    </>
  );
}
