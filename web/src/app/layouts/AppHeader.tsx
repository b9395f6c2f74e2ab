import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "@/features/deployments/queries";
import { WarningIcon } from "@/ui/icons";
import { RouterLink } from "@/ui/RouterLinks";
import { count } from "@/util/format";
import { Brand } from "./Brand";
import { pageWidth } from "./page-width";
import { ThemeSwitch } from "./ThemeSwitch";

/** The bar on top of all pages. */
export function AppHeader() {
  return (
    <Box
      component="header"
      sx={{
        position: "sticky",
        top: 0,
        zIndex: "appBar",
        bgcolor: "background.paper",
        borderBottom: 1,
        borderColor: "divider",
      }}
    >
      <Box sx={{ ...pageWidth, display: "flex", alignItems: "center", gap: 3, height: 52 }}>
        <Brand />
        <Stack component="nav" aria-label="Main" direction="row" spacing={0.5} sx={{ height: "100%" }}>
          <NavigationLink to="/deployments" label="Deployments" />
          <NavigationLink to="/create" label="Create" />
        </Stack>
        <Box sx={{ flexGrow: 1 }} />
        <ServerVersion />
        <ThemeSwitch />
      </Box>
    </Box>
  );
}

function NavigationLink({ to, label }: { to: "/deployments" | "/create"; label: string }) {
  return (
    <RouterLink
      to={to}
      underline="none"
      sx={{
        display: "flex",
        alignItems: "center",
        px: 1.25,
        fontSize: "0.8125rem",
        fontWeight: 560,
        color: "text.secondary",
        borderBottom: "2px solid transparent",
        borderTop: "2px solid transparent",
        "&:hover": { color: "text.primary" },
        "&[aria-current=page], &.active": { color: "text.primary", borderBottomColor: "primary.main" },
      }}
    >
      {label}
    </RouterLink>
  );
}

function ServerVersion() {
  const { data: status } = useQuery(statusQuery);
  if (!status) return null;
  const lost = status.lostRecords;
  return (
    <Stack direction="row" spacing={1.5} sx={{ alignItems: "center" }}>
      {lost > 0 && (
        <Tooltip title="The request log could not keep them, as when the disk is full. The predictions were answered.">
          <Stack
            direction="row"
            spacing={0.5}
            tabIndex={0}
            role="status"
            sx={{ alignItems: "center", color: "console.status.progressing.main", fontSize: "0.75rem" }}
          >
            <WarningIcon sx={{ fontSize: 16 }} />
            <span>{count(lost, "record")} lost</span>
          </Stack>
        </Tooltip>
      )}
      <Tooltip title={`${status.available} of ${count(status.deployments, "deployment")} available`}>
        <Typography
          variant="caption"
          color="textSecondary"
          tabIndex={0}
          sx={{ fontVariantNumeric: "tabular-nums" }}
        >
          v{status.version}
        </Typography>
      </Tooltip>
    </Stack>
  );
}
