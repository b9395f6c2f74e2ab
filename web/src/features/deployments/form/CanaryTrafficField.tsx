import Box from "@mui/material/Box";
import FormHelperText from "@mui/material/FormHelperText";
import Slider from "@mui/material/Slider";
import TextField from "@mui/material/TextField";
import { SeriesMark } from "@/ui/TrafficBar";
import { CANARY } from "../manifest/build";
import { FieldNote } from "./FieldNote";
import { useField } from "./messages";

interface Props {
  /** Name of the predictor that the canary takes from. */
  main: string;
  canary?: string;
  /** What there is to share, in percent. */
  total?: number;
}

/** The canary's share of the traffic. */
export function CanaryTrafficField({ main, canary = CANARY, total = 100 }: Props) {
  const { field, error, warning } = useField("canaryTraffic");
  const share = Number(field.value);
  const shares = [
    { name: main, weight: total - share },
    { name: canary, weight: share },
  ];
  const change = (value: number) => field.onChange(Math.min(total, Math.max(0, Math.round(value) || 0)));
  return (
    <Box>
      <Box
        sx={{ display: "grid", gridTemplateColumns: "minmax(0, 1fr) 112px", gap: 3, alignItems: "center" }}
      >
        <Slider
          size="small"
          aria-label="Traffic of the canary in percent"
          max={total}
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
            htmlInput: { min: 0, max: total },
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
