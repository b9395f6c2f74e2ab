import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormHelperText from "@mui/material/FormHelperText";
import Slider from "@mui/material/Slider";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";
import { useController, useFormContext } from "react-hook-form";
import { Section } from "@/ui/Section";
import { SeriesMark } from "@/ui/TrafficBar";
import { CANARY, MAIN } from "../manifest/build";
import type { DeploymentValues } from "../manifest/values";
import { FieldNote } from "./FieldNote";
import { useField } from "./messages";
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
          <TrafficField />
          <PredictorFields part="canary" />
        </Box>
      )}
    </Section>
  );
}

function TrafficField() {
  const { field, error, warning } = useField("canaryTraffic");
  const share = Number(field.value);
  const shares = [
    { name: MAIN, weight: 100 - share },
    { name: CANARY, weight: share },
  ];
  const change = (value: number) => field.onChange(Math.min(100, Math.max(0, Math.round(value) || 0)));
  return (
    <Box>
      <Box
        sx={{ display: "grid", gridTemplateColumns: "minmax(0, 1fr) 112px", gap: 3, alignItems: "center" }}
      >
        <Slider
          size="small"
          aria-label="Traffic of the canary in percent"
          value={share}
          onChange={(_event, value) => change(Number(value))}
          onBlur={field.onBlur}
        />
        <TextField
          label="Canary traffic"
          type="number"
          value={share}
          onChange={({ target }) => change(Number(target.value))}
          onBlur={field.onBlur}
          error={error !== undefined}
          slotProps={{
            htmlInput: { min: 0, max: 100 },
            input: { endAdornment: "%" },
            inputLabel: { shrink: true },
          }}
        />
      </Box>
      <Box sx={{ display: "flex", gap: 2, mt: 0.25, fontSize: "0.75rem", color: "text.secondary" }}>
        {shares.map(({ name, weight }, index) => (
          <Box key={name} component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
            <SeriesMark index={index} /> {name} {weight} %
          </Box>
        ))}
      </Box>
      {(error || warning) && (
        <FormHelperText component="div" error={error !== undefined}>
          <FieldNote error={error} warning={warning} />
        </FormHelperText>
      )}
    </Box>
  );
}
