import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormHelperText from "@mui/material/FormHelperText";
import Switch from "@mui/material/Switch";
import { Section } from "@/ui/Section";
import { FieldNote } from "./FieldNote";
import { FormText } from "./FormText";
import { useField } from "./messages";
import { NamespaceField } from "./NamespaceField";

/** What the deployment is called, and whether its requests are logged. */
export function DetailsFields() {
  const { field, error, warning } = useField("isLogged");
  return (
    <Section title="Deployment">
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { xs: "1fr", sm: "3fr 2fr" }, pt: 0.5 }}>
        <FormText
          name="name"
          label="Name"
          placeholder="iris"
          // Also keeps the place of an error, so that nothing moves under the pointer.
          help="Lower-case letters, digits, “-” and “.”."
          isRequired
          autoFocus
        />
        <NamespaceField />
      </Box>
      <FormControlLabel
        control={
          <Switch
            size="small"
            name={field.name}
            checked={field.value}
            onChange={(_event, isOn) => field.onChange(isOn)}
            onBlur={field.onBlur}
          />
        }
        label="Log every request, with features and predictions"
        slotProps={{ typography: { variant: "body2" } }}
        sx={{ mt: 1.5, alignSelf: "start" }}
      />
      {(error || warning) && (
        <FormHelperText component="div" error={error !== undefined}>
          <FieldNote error={error} warning={warning} />
        </FormHelperText>
      )}
    </Section>
  );
}
