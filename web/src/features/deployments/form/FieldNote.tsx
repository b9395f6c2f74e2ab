import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { InfoIcon } from "@/ui/icons";
import { Prose } from "@/ui/Prose";

interface Props {
  error?: string;
  warning?: string;
  help?: ReactNode;
}

/** What stands below a field: what is wrong, else what is worth knowing, else what to write. */
export function FieldNote({ error, warning, help }: Props) {
  if (error)
    return (
      <span role="alert">
        <Prose text={error} />
      </span>
    );
  if (!warning) return <>{help}</>;
  return (
    <Box component="span" sx={{ display: "flex", gap: 0.5, color: "console.status.progressing.main" }}>
      <InfoIcon sx={{ fontSize: 15, mt: "1px" }} />
      <span>
        <Prose text={warning} />
      </span>
    </Box>
  );
}
