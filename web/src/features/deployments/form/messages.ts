import { createContext, useContext } from "react";
import { type FieldPath, useController, useFormState } from "react-hook-form";
import type { FieldName } from "../manifest/field-paths";
import type { DeploymentValues } from "../manifest/values";

/** What the server says of fields. */
export interface Messages {
  errors: Partial<Record<FieldName, string>>;
  warnings: Partial<Record<FieldName, string>>;
}

export const MessagesContext = createContext<Messages>({ errors: {}, warnings: {} });

/** A field of the form with what is to be said of it: its error, else the server's warning. */
export function useField<Name extends FieldPath<DeploymentValues> & FieldName>(name: Name) {
  const { field, fieldState } = useController<DeploymentValues, Name>({ name });
  const { isSubmitted } = useFormState();
  const { errors, warnings } = useContext(MessagesContext);
  // A field that was not reached yet is not complained about.
  const isReached =
    fieldState.isTouched || isSubmitted || (typeof field.value === "string" && field.value !== "");
  const error = fieldState.error?.message ?? (isReached ? errors[name] : undefined);
  return { field, error, warning: error ? undefined : warnings[name] };
}
