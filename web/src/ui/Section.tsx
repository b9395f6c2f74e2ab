import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import type { SxProps } from "@mui/material/styles";
import Typography from "@mui/material/Typography";
import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  /** A few words beside the title, such as a unit. */
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Whether the content brings its own padding, as tables do. */
  isFlush?: boolean;
  sx?: SxProps;
}

/** A titled part of a page. */
export function Section({ title, note, actions, children, isFlush, sx }: Props) {
  const id = useId();
  return (
    <Paper
      component="section"
      variant="outlined"
      aria-labelledby={id}
      sx={{ display: "flex", flexDirection: "column", minWidth: 0, overflow: "hidden", ...sx }}
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 1, px: 2, minHeight: 46, flexWrap: "wrap" }}>
        <Typography variant="h2" id={id}>
          {title}
        </Typography>
        {note && (
          <Typography variant="caption" color="textSecondary">
            {note}
          </Typography>
        )}
        <Box sx={{ flexGrow: 1 }} />
        {actions}
      </Box>
      <Box
        sx={{
          flexGrow: 1,
          minWidth: 0,
          display: "flex",
          flexDirection: "column",
          ...(isFlush ? {} : { px: 2, pb: 2 }),
        }}
      >
        {children}
      </Box>
    </Paper>
  );
}
