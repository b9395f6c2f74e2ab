import Box from "@mui/material/Box";
import type { SxProps } from "@mui/material/styles";
import type { ReactNode } from "react";
import { monospace } from "@/theme/tokens";

/** Text of a machine: ids, addresses, names of files. */
export function Mono({ children, title, sx }: { children: ReactNode; title?: string; sx?: SxProps }) {
  return (
    <Box component="span" title={title} sx={{ fontFamily: monospace, fontSize: "0.92em", ...sx }}>
      {children}
    </Box>
  );
}
