import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { messageOf } from "@/api/problem";
import { deploymentQuery } from "@/features/deployments/queries";
import { Prose } from "@/ui/Prose";
import { EventsSection } from "./components/EventsSection";
import { InstancesSection } from "./components/InstancesSection";
import { instancesQuery } from "./queries";

const route = getRouteApi("/deployments/$namespace/$name/instances");

/** What runs a deployment on a cluster, and what happened to it. */
export function InstancesPage() {
  const params = route.useParams();
  const { data: deployment } = useSuspenseQuery(deploymentQuery(params));
  const { data: instances, error } = useSuspenseQuery(instancesQuery(params));
  return (
    <Box sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>
      {error && (
        <Alert severity="warning">
          What you see may be old. <Prose text={messageOf(error)} />
        </Alert>
      )}
      <InstancesSection deployment={deployment} instances={instances.items} />
      <EventsSection deployment={deployment} />
    </Box>
  );
}
