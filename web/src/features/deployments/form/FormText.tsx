import TextField, { type TextFieldProps } from "@mui/material/TextField";
import type { ReactNode } from "react";
import type { FieldPathByValue } from "react-hook-form";
import type { FieldName } from "../manifest/field-paths";
import type { DeploymentValues } from "../manifest/values";
import { FieldNote } from "./FieldNote";
import { useField } from "./messages";

interface Props {
  name: FieldPathByValue<DeploymentValues, string> & FieldName;
  label: string;
  /** What to write, where there is nothing wrong. */
  help?: ReactNode;
  placeholder?: string;
  isRequired?: boolean;
  autoFocus?: boolean;
  isDisabled?: boolean;
  slotProps?: TextFieldProps["slotProps"];
}

/** A text of the form. */
export function FormText({
  name,
  label,
  help,
  placeholder,
  isRequired,
  autoFocus,
  isDisabled,
  slotProps,
}: Props) {
  const { field, error, warning } = useField(name);
  const { ref, ...rest } = field;
  return (
    <TextField
      {...rest}
      inputRef={ref}
      label={label}
      placeholder={placeholder}
      required={isRequired}
      autoFocus={autoFocus}
      disabled={isDisabled}
      error={error !== undefined}
      helperText={<FieldNote error={error} warning={warning} help={help} />}
      slotProps={{
        ...slotProps,
        inputLabel: { shrink: true },
        htmlInput: { spellCheck: false, autoCapitalize: "none", autoComplete: "off" },
        formHelperText: { component: "div" },
      }}
    />
  );
}
