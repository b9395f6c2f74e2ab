import Alert from "@mui/material/Alert";
import Typography from "@mui/material/Typography";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet } from "@tanstack/react-router";
import { isNotFound } from "@/api/problem";
import { EmptyState } from "@/ui/EmptyState";
import { DeleteIcon } from "@/ui/icons";
import { PageHeader } from "@/ui/PageHeader";
import { Prose } from "@/ui/Prose";
import { LinkButton, RouterLink } from "@/ui/RouterLinks";
import { StateChip } from "@/ui/StateChip";
import { formatAgo, formatTime } from "@/util/format";
import { useNow } from "@/util/useNow";
import { DeploymentMenu } from "./components/DeploymentMenu";
import { DeploymentTabs, useCurrentTab } from "./components/DeploymentTabs";
import { type Deployment, deploymentQuery } from "./queries";

const route = getRouteApi("/deployments/$namespace/$name");

/** What all pages of a deployment have in common. */
export function DeploymentLayout() {
  const params = route.useParams();
  const { data: deployment, error } = useSuspenseQuery(deploymentQuery(params));
  const tab = useCurrentTab(params);
  if (isNotFound(error)) return <Gone name={params.name} />;
  return (
    <>
      <PageHeader
        title={deployment.name}
        documentTitle={tab ? `${tab} · ${deployment.name}` : deployment.name}
        above={<Way namespace={deployment.namespace} />}
        beside={<StateChip state={deployment.state} size="medium" />}
        description={<Ages deployment={deployment} />}
        actions={<DeploymentMenu deployment={deployment} />}
      />
      {deployment.description && deployment.state !== "Available" && (
        <Alert
          severity={deployment.state === "Failed" ? "error" : "info"}
          sx={{ mb: 2, whiteSpace: "pre-wrap" }}
        >
          <Prose text={deployment.description} />
        </Alert>
      )}
      <DeploymentTabs id={params} />
      <Outlet />
    </>
  );
}

function Way({ namespace }: { namespace: string }) {
  return (
    <Typography
      variant="caption"
      component="nav"
      aria-label="Way here"
      color="textSecondary"
      sx={{ display: "block", mb: 0.25 }}
    >
      <RouterLink to="/deployments" color="inherit">
        Deployments
      </RouterLink>
      <span aria-hidden> / </span>
      <RouterLink to="/deployments" search={{ namespace }} color="inherit">
        {namespace}
      </RouterLink>
    </Typography>
  );
}

function Ages({ deployment }: { deployment: Deployment }) {
  const now = useNow(1000);
  const { created, updated, generation, kind } = deployment;
  return (
    <>
      <span title={formatTime(created)}>Created {formatAgo(created, now)} ago</span>
      {generation > 1 && <span title={formatTime(updated)}>, updated {formatAgo(updated, now)} ago</span>}
      <span> · generation {generation}</span>
      <span> · {kind}</span>
      {!deployment.requestLog && <span> · request log off</span>}
    </>
  );
}

function Gone({ name }: { name: string }) {
  return (
    <EmptyState
      title={`${name} was deleted`}
      icon={<DeleteIcon sx={{ fontSize: 32 }} />}
      actions={
        <LinkButton variant="contained" to="/deployments">
          All deployments
        </LinkButton>
      }
    />
  );
}
