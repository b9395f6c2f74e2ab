import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import type { FieldError } from "@/api/problem";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";

/** Everything that is wrong with a manifest. */
export function ManifestErrors({ errors }: { errors: FieldError[] }) {
  if (errors.length === 0) return null;
  return (
    <Alert severity="error" aria-live="polite">
      <Box component="ul" sx={{ m: 0, pl: 0, listStyle: "none", display: "grid", gap: 0.5 }}>
        {errors.map(({ path, line, message }) => (
          <li key={`${line} ${path} ${message}`}>
            {line && <span>line {line}: </span>}
            {path && <Mono sx={{ fontWeight: 600 }}>{path}: </Mono>}
            <Prose text={message} />
          </li>
        ))}
      </Box>
    </Alert>
  );
}
