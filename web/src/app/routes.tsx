/** Which page stands where, what its URL holds, and what it needs before it shows. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent,
  notFound,
  redirect,
  rootRouteId,
} from "@tanstack/react-router";
import * as z from "zod/mini";
import {
  type DeploymentId,
  deploymentQuery,
  deploymentsQuery,
  historyQuery,
  namespacesQuery,
  statusQuery,
} from "@/features/deployments/queries";
import { instancesQuery } from "@/features/instances/queries";
import { logSearch } from "@/features/instances/search";
import { requestSearch } from "@/features/request-log/search";
import { AppLayout } from "./layouts/AppLayout";
import { NotFoundPage } from "./NotFoundPage";

interface Context {
  queryClient: QueryClient;
}

const text = z.catch(z.optional(z.string()), undefined);
const whole = z.catch(z.optional(z.coerce.number().check(z.int())), undefined);

const rootRoute = createRootRouteWithContext<Context>()({
  component: AppLayout,
  notFoundComponent: NotFoundPage,
});

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/deployments", replace: true });
  },
});

const deploymentsSearch = z.object({
  namespace: text,
  state: z.catch(z.optional(z.enum(["Available", "Creating", "Failed"])), undefined),
  search: text,
  /** Column and direction, as `name-desc`. */
  sort: text,
  /** Where the page begins, when there are more than one page holds. */
  cursor: text,
});

const deploymentsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deployments",
  validateSearch: deploymentsSearch,
  loaderDeps: ({ search: { namespace } }) => ({ namespace }),
  loader: ({ context: { queryClient }, deps }) =>
    Promise.all([
      queryClient.ensureQueryData(deploymentsQuery(deps)),
      queryClient.ensureQueryData(namespacesQuery),
    ]),
  component: lazyRouteComponent(() => import("@/features/deployments/DeploymentsPage"), "DeploymentsPage"),
});

const createDeploymentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/create",
  validateSearch: z.object({ namespace: text }),
  loader: ({ context: { queryClient } }) =>
    Promise.all([queryClient.ensureQueryData(statusQuery), queryClient.ensureQueryData(namespacesQuery)]),
  component: lazyRouteComponent(() => import("@/features/deployments/CreatePage"), "CreatePage"),
});

const deploymentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/deployments/$namespace/$name",
  loader: ({ context: { queryClient }, params }) =>
    Promise.all([
      queryClient.ensureQueryData(deploymentQuery(params)),
      queryClient.ensureQueryData(statusQuery),
    ]),
  component: lazyRouteComponent(() => import("@/features/deployments/DeploymentLayout"), "DeploymentLayout"),
});

const overviewRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/",
  validateSearch: z.object({ minutes: z.catch(z.optional(z.coerce.number()), undefined) }),
  component: lazyRouteComponent(() => import("@/features/deployments/DeploymentPage"), "DeploymentPage"),
});

const predictRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/predict",
  validateSearch: z.object({
    /** A request of the log to begin with, as `<request id>:<row>`. */
    like: text,
    predictor: text,
  }),
  component: lazyRouteComponent(() => import("@/features/predict/PredictPage"), "PredictPage"),
});

const requestsRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/requests",
  validateSearch: requestSearch,
  component: lazyRouteComponent(() => import("@/features/request-log/RequestsPage"), "RequestsPage"),
});

/** There are instances on a cluster only. */
async function loadInstances(queryClient: QueryClient, id: DeploymentId) {
  const { engine } = await queryClient.ensureQueryData(statusQuery);
  if (engine !== "kubernetes") throw notFound({ routeId: rootRouteId });
  await queryClient.ensureQueryData(instancesQuery(id));
}

const instancesRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/instances",
  loader: ({ context: { queryClient }, params }) => loadInstances(queryClient, params),
  component: lazyRouteComponent(() => import("@/features/instances/InstancesPage"), "InstancesPage"),
});

const logRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/instances/$instance/log",
  validateSearch: logSearch,
  loader: ({ context: { queryClient }, params }) => loadInstances(queryClient, params),
  component: lazyRouteComponent(() => import("@/features/instances/LogPage"), "LogPage"),
});

const manifestRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/manifest",
  validateSearch: z.object({
    /** A generation whose manifest is to be applied again. */
    generation: whole,
  }),
  loaderDeps: ({ search: { generation } }) => ({ generation }),
  loader: ({ context: { queryClient }, params, deps }) =>
    deps.generation === undefined ? undefined : queryClient.ensureQueryData(historyQuery(params)),
  component: lazyRouteComponent(() => import("@/features/deployments/ManifestPage"), "ManifestPage"),
});

const historyRoute = createRoute({
  getParentRoute: () => deploymentRoute,
  path: "/history",
  loader: ({ context: { queryClient }, params }) => queryClient.ensureQueryData(historyQuery(params)),
  component: lazyRouteComponent(() => import("@/features/deployments/HistoryPage"), "HistoryPage"),
});

export const routeTree = rootRoute.addChildren([
  indexRoute,
  deploymentsRoute,
  createDeploymentRoute,
  deploymentRoute.addChildren([
    overviewRoute,
    predictRoute,
    requestsRoute,
    instancesRoute,
    logRoute,
    manifestRoute,
    historyRoute,
  ]),
]);
