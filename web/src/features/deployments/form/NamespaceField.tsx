import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { useSuspenseQuery } from "@tanstack/react-query";
import { namespacesQuery } from "../queries";
import { FieldNote } from "./FieldNote";
import { useField } from "./messages";

/** A namespace that is there, or a new one. */
export function NamespaceField() {
  const { field, error, warning } = useField("namespace");
  const { data: namespaces } = useSuspenseQuery(namespacesQuery);
  return (
    <Autocomplete
      freeSolo
      disableClearable
      options={namespaces.items.map((item) => item.name)}
      inputValue={field.value}
      value={field.value}
      onInputChange={(_event, value) => {
        if (value !== field.value) field.onChange(value);
      }}
      onBlur={field.onBlur}
      renderInput={(params) => (
        <TextField
          {...params}
          label="Namespace"
          required
          inputRef={field.ref}
          error={error !== undefined}
          helperText={<FieldNote error={error} warning={warning} help="One that is there, or a new one." />}
          slotProps={{
            ...params.slotProps,
            inputLabel: { ...params.slotProps.inputLabel, shrink: true },
            formHelperText: { component: "div" },
          }}
        />
      )}
    />
  );
}
