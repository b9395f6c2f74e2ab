import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Mono } from "@/ui/Mono";
import { statusQuery } from "../queries";
import { FieldNote } from "./FieldNote";
import { useField } from "./messages";

/** The model server; those that cannot be used here say so. */
export function ServerField({ name }: { name: "main.server" | "canary.server" }) {
  const { field, error, warning } = useField(name);
  const { data: status } = useSuspenseQuery(statusQuery);
  const { ref, ...rest } = field;
  const servers = [...status.modelServers].sort((a, b) => Number(b.isSupported) - Number(a.isSupported));
  const isKnown = servers.some((server) => server.name === field.value);
  return (
    <TextField
      {...rest}
      select
      inputRef={ref}
      label="Model server"
      required
      error={error !== undefined}
      helperText={<FieldNote error={error} warning={warning} />}
      slotProps={{
        inputLabel: { shrink: true },
        formHelperText: { component: "div" },
        select: { renderValue: () => <Mono>{field.value}</Mono> },
      }}
    >
      {!isKnown && field.value && <MenuItem value={field.value}>{field.value}</MenuItem>}
      {servers.map((server) => (
        <MenuItem key={server.name} value={server.name} disabled={!server.isSupported}>
          <Box sx={{ display: "flex", gap: 2, alignItems: "baseline", width: "100%" }}>
            <Mono sx={{ minWidth: 170 }}>{server.name}</Mono>
            <Box component="span" sx={{ color: "text.secondary" }}>
              {server.isSupported
                ? server.description
                : `${server.description}: runs in a container, on Kubernetes only`}
            </Box>
          </Box>
        </MenuItem>
      ))}
    </TextField>
  );
}
