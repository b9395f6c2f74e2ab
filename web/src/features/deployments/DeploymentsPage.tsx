import Alert from "@mui/material/Alert";
import Paper from "@mui/material/Paper";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { AddIcon } from "@/ui/icons";
import { PageHeader } from "@/ui/PageHeader";
import { LinkButton } from "@/ui/RouterLinks";
import { count } from "@/util/format";
import { DeleteDialog } from "./components/DeleteDialog";
import { DeploymentsFilter } from "./components/DeploymentsFilter";
import { DeploymentsGrid } from "./components/DeploymentsGrid";
import { FirstDeployment } from "./components/FirstDeployment";
import { NoMatch } from "./components/NoMatch";
import { type DeploymentId, deploymentsQuery } from "./queries";

const route = getRouteApi("/deployments");

/** All deployments, live. */
export function DeploymentsPage() {
  const { namespace, state, search, cursor } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: page } = useSuspenseQuery(deploymentsQuery({ namespace, state, search, cursor }));
  const [deleting, setDeleting] = useState<DeploymentId>();
  const isFiltered = Boolean(state || search || cursor);
  const isEmpty = page.items.length === 0;
  return (
    <>
      <PageHeader
        title="Deployments"
        description={page.total > 0 ? summary(page.total, namespace) : undefined}
        actions={
          <LinkButton variant="contained" startIcon={<AddIcon />} to="/create" search={{ namespace }}>
            Create deployment
          </LinkButton>
        }
      />
      <DeploymentsFilter />
      {isEmpty && (
        <Paper variant="outlined">
          {isFiltered ? (
            <NoMatch onClear={() => void navigate({ search: { namespace } })} />
          ) : (
            <FirstDeployment namespace={namespace} />
          )}
        </Paper>
      )}
      {!isEmpty && (
        <DeploymentsGrid
          deployments={page.items}
          scope={namespace === undefined ? "all-namespaces" : "one-namespace"}
          onDelete={setDeleting}
        />
      )}
      {page.next && (
        <Alert
          severity="info"
          sx={{ mt: 2 }}
          action={
            <LinkButton
              to="/deployments"
              search={(before) => ({ ...before, cursor: page.next ?? undefined })}
            >
              Next {count(page.items.length, "deployment")}
            </LinkButton>
          }
        >
          Showing {page.items.length} of {count(page.total, "deployment")}. Search to find the others.
        </Alert>
      )}
      {deleting && <DeleteDialog id={deleting} onClose={() => setDeleting(undefined)} />}
    </>
  );
}

function summary(total: number, namespace?: string): string {
  return `${count(total, "deployment")} ${namespace ? `in the namespace ${namespace}` : "in all namespaces"}`;
}
