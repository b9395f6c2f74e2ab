import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

interface Props {
  title: string;
  icon?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

/** What stands where there is nothing yet, and what to do about it. */
export function EmptyState({ title, icon, children, actions }: Props) {
  return (
    <Box
      sx={{
        display: "flex",
        flexDirection: "column",
        alignItems: "center",
        textAlign: "center",
        gap: 1.5,
        px: 3,
        py: 6,
      }}
    >
      {icon && <Box sx={{ color: "text.secondary", display: "flex" }}>{icon}</Box>}
      <Typography variant="h2" component="p">
        {title}
      </Typography>
      {children}
      {actions && <Box sx={{ display: "flex", gap: 1, mt: 0.5 }}>{actions}</Box>}
    </Box>
  );
}
