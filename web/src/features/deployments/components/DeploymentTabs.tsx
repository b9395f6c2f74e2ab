import Box from "@mui/material/Box";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useMatchRoute } from "@tanstack/react-router";
import { RouterLink } from "@/ui/RouterLinks";
import { type DeploymentId, statusQuery } from "../queries";

const tabs = [
  { to: "/deployments/$namespace/$name", label: "Overview" },
  { to: "/deployments/$namespace/$name/predict", label: "Predict" },
  { to: "/deployments/$namespace/$name/requests", label: "Requests" },
  { to: "/deployments/$namespace/$name/instances", label: "Instances" },
  { to: "/deployments/$namespace/$name/manifest", label: "Manifest" },
  { to: "/deployments/$namespace/$name/history", label: "History" },
] as const;

/** Name of the page that is shown; none for the first. */
export function useCurrentTab(id: DeploymentId): string | undefined {
  const matchRoute = useMatchRoute();
  if (matchRoute({ to: "/deployments/$namespace/$name/instances/$instance/log", params: id })) return "Log";
  return tabs.slice(1).find(({ to }) => matchRoute({ to, params: id }))?.label;
}

/** Leads to the pages of a deployment. */
export function DeploymentTabs({ id }: { id: DeploymentId }) {
  const { data: status } = useSuspenseQuery(statusQuery);
  const shown = tabs.filter(({ label }) => label !== "Instances" || status.engine === "kubernetes");
  return (
    <Box
      component="nav"
      aria-label={`Pages of ${id.name}`}
      sx={{ display: "flex", gap: 3, borderBottom: 1, borderColor: "divider", mb: 2.5, overflowX: "auto" }}
    >
      {shown.map(({ to, label }) => (
        <RouterLink
          key={to}
          to={to}
          params={id}
          // The log of an instance is under the instances.
          activeOptions={{ exact: label !== "Instances", includeSearch: false }}
          underline="none"
          sx={{
            py: 1.125,
            mb: "-1px",
            fontSize: "0.8125rem",
            fontWeight: 560,
            color: "text.secondary",
            borderBottom: "2px solid transparent",
            "&:hover": { color: "text.primary" },
            "&[aria-current=page]": { color: "text.primary", borderBottomColor: "primary.main" },
          }}
        >
          {label}
        </RouterLink>
      ))}
    </Box>
  );
}
