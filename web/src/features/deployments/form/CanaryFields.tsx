import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Switch from "@mui/material/Switch";
import { useController, useFormContext } from "react-hook-form";
import { Section } from "@/ui/Section";
import { MAIN } from "../manifest/build";
import type { DeploymentValues } from "../manifest/values";
import { CanaryTrafficField } from "./CanaryTrafficField";
import { PredictorFields } from "./PredictorFields";

/** A second predictor that gets a share of the traffic. */
export function CanaryFields() {
  const { getValues, setValue } = useFormContext<DeploymentValues>();
  const { field } = useController<DeploymentValues, "hasCanary">({ name: "hasCanary" });
  const toggle = (isOn: boolean) => {
    const { main, canary } = getValues();
    // Most canaries are of the same server as the main predictor.
    if (isOn && canary.modelUri === "") setValue("canary.server", main.server);
    field.onChange(isOn);
  };
  return (
    <Section
      title="Canary"
      note="a second predictor that takes a share of the traffic"
      actions={
        <FormControlLabel
          control={<Switch size="small" checked={field.value} onChange={(_event, isOn) => toggle(isOn)} />}
          label="Add a canary"
          slotProps={{ typography: { variant: "body2" } }}
          sx={{ mr: 0 }}
        />
      }
      sx={field.value ? undefined : { "& > :last-child": { display: "none" } }}
    >
      {field.value && (
        <Box sx={{ display: "grid", gap: 2.25, pt: 0.5 }}>
          <CanaryTrafficField main={MAIN} />
          <PredictorFields part="canary" />
        </Box>
      )}
    </Section>
  );
}
