import Box from "@mui/material/Box";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { EndpointSection } from "./components/EndpointSection";
import { PredictorsSection } from "./components/PredictorsSection";
import { TrafficSection } from "./components/TrafficSection";
import { WarningsSection } from "./components/WarningsSection";
import { deploymentQuery } from "./queries";

const route = getRouteApi("/deployments/$namespace/$name/");

/** How a deployment does. */
export function DeploymentPage() {
  const params = route.useParams();
  const { data: deployment } = useSuspenseQuery(deploymentQuery(params));
  return (
    <Box sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>
      <PredictorsSection deployment={deployment} />
      <TrafficSection deployment={deployment} />
      <Box
        sx={{
          display: "grid",
          gap: 2.5,
          gridTemplateColumns: {
            xs: "minmax(0, 1fr)",
            lg: deployment.warnings.length > 0 ? "minmax(0, 1fr) minmax(0, 1fr)" : "minmax(0, 1fr)",
          },
        }}
      >
        <EndpointSection deployment={deployment} />
        {deployment.warnings.length > 0 && <WarningsSection warnings={deployment.warnings} />}
      </Box>
    </Box>
  );
}
