import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

interface Props {
  title: string;
  /** Title of the browser's tab, where it says more. */
  documentTitle?: string;
  /** What stands above the title: the way here. */
  above?: ReactNode;
  /** What stands beside the title, such as a state. */
  beside?: ReactNode;
  /** One line below. */
  description?: ReactNode;
  actions?: ReactNode;
}

/** The head of a page. */
export function PageHeader({ title, documentTitle, above, beside, description, actions }: Props) {
  return (
    <Box component="header" sx={{ mb: 2.5 }}>
      <title>{`${documentTitle ?? title} · Provost`}</title>
      {above}
      <Box sx={{ display: "flex", alignItems: "center", flexWrap: "wrap", columnGap: 2, rowGap: 1 }}>
        <Box
          sx={{
            display: "flex",
            alignItems: "center",
            flexWrap: "wrap",
            gap: 1.5,
            flex: "1 1 320px",
            minWidth: 0,
          }}
        >
          <Typography variant="h1" sx={{ overflowWrap: "anywhere" }}>
            {title}
          </Typography>
          {beside}
        </Box>
        {actions && (
          <Stack direction="row" spacing={1}>
            {actions}
          </Stack>
        )}
      </Box>
      {description && (
        <Typography variant="body2" color="textSecondary" sx={{ mt: 0.25 }}>
          {description}
        </Typography>
      )}
    </Box>
  );
}
