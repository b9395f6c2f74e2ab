import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { useWatch } from "react-hook-form";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";
import { type DeploymentValues, METHODS, SKLEARN } from "../manifest/values";
import { FieldNote } from "./FieldNote";
import { FormText } from "./FormText";
import { useField } from "./messages";
import { ServerField } from "./ServerField";

type Part = "main" | "canary";

const FILES: Record<string, string> = {
  SKLEARN_SERVER: "`model.joblib`, `model.pkl` or `model.pickle`",
  XGBOOST_SERVER: "`model.bst`, `model.json` or `model.ubj`",
  LIGHTGBM_SERVER: "`model.bst`, `model.txt` or `model.lgb`",
  CATBOOST_SERVER: "`model.json`",
};

interface Props {
  part: Part;
  /** Whether there are fields for what its pods ask for. */
  hasRequests?: boolean;
}

/** What one predictor serves, and with what. */
export function PredictorFields({ part, hasRequests = true }: Props) {
  const server = useWatch<DeploymentValues, `${Part}.server`>({ name: `${part}.server` });
  const hasMethod = server === SKLEARN;
  const columns = hasMethod ? "minmax(0, 3fr) minmax(0, 2fr)" : "minmax(0, 1fr)";
  return (
    <Box sx={{ display: "grid", gap: 2.25 }}>
      <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { xs: "1fr", sm: columns } }}>
        <ServerField name={`${part}.server`} />
        {hasMethod && <MethodField name={`${part}.method`} />}
      </Box>
      <FormText
        name={`${part}.modelUri`}
        label="Model URI"
        placeholder="/models/iris or file:///models/iris"
        isRequired
        help={
          <Prose
            text={`A folder on the server with ${FILES[server] ?? "the model's files"}, or the file itself.`}
          />
        }
      />
      {hasRequests && (
        <Box sx={{ display: "grid", gap: 2, gridTemplateColumns: { xs: "1fr", sm: "1fr 1fr" } }}>
          <FormText name={`${part}.cpu`} label="CPU request" placeholder="500m" />
          <FormText name={`${part}.memory`} label="Memory request" placeholder="256Mi" />
        </Box>
      )}
    </Box>
  );
}

function MethodField({ name }: { name: "main.method" | "canary.method" }) {
  const { field, error, warning } = useField(name);
  const { ref, ...rest } = field;
  return (
    <TextField
      {...rest}
      select
      inputRef={ref}
      label="Method"
      error={error !== undefined}
      helperText={<FieldNote error={error} warning={warning} />}
      slotProps={{
        inputLabel: { shrink: true },
        formHelperText: { component: "div" },
        select: { displayEmpty: true, renderValue: () => methodLabel(field.value) },
      }}
    >
      {METHODS.map((method) => (
        <MenuItem key={method} value={method}>
          {methodLabel(method)}
          {method === "" && ": predict_proba, or predict where there is none"}
        </MenuItem>
      ))}
    </TextField>
  );
}

function methodLabel(method: string) {
  return method === "" ? "Default" : <Mono>{method}</Mono>;
}
