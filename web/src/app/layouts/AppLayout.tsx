import Box from "@mui/material/Box";
import { Outlet } from "@tanstack/react-router";
import { AppHeader } from "./AppHeader";
import { ConnectionBanner } from "./ConnectionBanner";
import { pageWidth } from "./page-width";

/** The frame of all pages. */
export function AppLayout() {
  return (
    <Box sx={{ minHeight: "100dvh", display: "flex", flexDirection: "column" }}>
      <SkipLink />
      <AppHeader />
      <ConnectionBanner />
      <Box
        component="main"
        id="content"
        tabIndex={-1}
        sx={{
          flexGrow: 1,
          display: "flex",
          flexDirection: "column",
          ...pageWidth,
          pt: 3,
          pb: 4,
          outline: "none",
        }}
      >
        <Outlet />
      </Box>
    </Box>
  );
}

/** The first stop of the Tab key: past the header. */
function SkipLink() {
  return (
    <Box
      component="a"
      href="#content"
      sx={{
        position: "absolute",
        left: 12,
        top: -60,
        zIndex: "tooltip",
        px: 2,
        py: 1,
        borderRadius: 1,
        bgcolor: "primary.main",
        color: "primary.contrastText",
        "&:focus": { top: 8 },
      }}
    >
      Skip to the content
    </Box>
  );
}
