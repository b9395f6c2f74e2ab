import { keepPreviousData, type QueryClient, queryOptions } from "@tanstack/react-query";
import { client, confirm, type Schemas, unwrap } from "@/api/client";
import { isNotFound } from "@/api/problem";
import { queryKeys } from "@/api/query-keys";

export type Deployment = Schemas["DeploymentDetail"];
export type DeploymentSummary = Schemas["DeploymentSummary"];
export type Predictor = Schemas["PredictorSummary"];
export type GraphNode = Schemas["NodeSummary"];
export type State = Schemas["DeploymentState"];
export type Warning = Schemas["Warning"];
export type Change = Schemas["ChangeSummary"];
export type Traffic = Schemas["Traffic"];
export type ModelServer = Schemas["ModelServerSummary"];
export type ApplyResult = Schemas["ApplyResult"];
export type PredictorChange = Schemas["PredictorChange"];

/** Names a deployment. */
export interface DeploymentId {
  namespace: string;
  name: string;
}

/** Most deployments that are listed at once; it is also the server's limit. */
export const LIST_LIMIT = 500;

export const statusQuery = queryOptions({
  queryKey: queryKeys.status,
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/status", { signal })),
  // Also what finds out that the server is there again.
  refetchInterval: (query) => (query.state.status === "error" ? 2_000 : 5_000),
});

export const namespacesQuery = queryOptions({
  queryKey: queryKeys.namespaces,
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/namespaces", { signal })),
  refetchInterval: 10_000,
});

export interface DeploymentFilter {
  namespace?: string;
  state?: State;
  search?: string;
  cursor?: string;
}

export function deploymentsQuery(filter: DeploymentFilter) {
  const query = { ...filter, search: filter.search?.toLowerCase(), limit: LIST_LIMIT };
  return queryOptions({
    queryKey: [...queryKeys.deployments, query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/v1/deployments", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: 2_000,
  });
}

export function deploymentQuery({ namespace, name }: DeploymentId) {
  return queryOptions({
    queryKey: queryKeys.deployment(namespace, name),
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name } };
      return unwrap(client.GET("/api/v1/namespaces/{namespace}/deployments/{name}", { params, signal }));
    },
    refetchInterval: ({ state }) => {
      if (isNotFound(state.error)) return false;
      return state.data?.state === "Creating" ? 500 : 2_000;
    },
  });
}

export function historyQuery({ namespace, name }: DeploymentId) {
  return queryOptions({
    queryKey: [...queryKeys.deployment(namespace, name), "history"],
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name } };
      return unwrap(
        client.GET("/api/v1/namespaces/{namespace}/deployments/{name}/history", { params, signal }),
      );
    },
    refetchInterval: 5_000,
  });
}

export function trafficQuery({ namespace, name }: DeploymentId, seconds: number) {
  return queryOptions({
    queryKey: [...queryKeys.deployment(namespace, name), "traffic", seconds],
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name }, query: { seconds } };
      return unwrap(
        client.GET("/api/v1/namespaces/{namespace}/deployments/{name}/traffic", { params, signal }),
      );
    },
    placeholderData: keepPreviousData,
    refetchInterval: 2_000,
  });
}

export interface ApplyRequest {
  /** The manifest, as YAML. */
  manifest: string;
  /** Why, for the history. */
  message?: string;
  isDryRun?: boolean;
}

export function applyManifest({ manifest, message, isDryRun }: ApplyRequest, signal?: AbortSignal) {
  return unwrap(
    client.POST("/api/v1/apply", {
      params: { query: { dryRun: isDryRun, message: message || undefined } },
      headers: { "Content-Type": "application/yaml" },
      body: manifest,
      bodySerializer: (text) => text,
      signal,
    }),
  );
}

/** A change that the server makes to a manifest. */
export type ManifestChange =
  | { kind: "predictors"; body: PredictorChange }
  | { kind: "rollback"; body: Schemas["Rollback"] };

export interface ChangeOptions {
  /** Why, for the history. */
  message?: string;
  /** Only if the deployment is at this generation. */
  generation?: number;
  isDryRun?: boolean;
}

export function changeDeployment(
  { namespace, name }: DeploymentId,
  { kind, body }: ManifestChange,
  { message, generation, isDryRun }: ChangeOptions,
  signal?: AbortSignal,
): Promise<ApplyResult> {
  const query = { dryRun: isDryRun, message: message || undefined, generation };
  const params = { path: { namespace, name }, query };
  if (kind === "rollback") {
    const path = "/api/v1/namespaces/{namespace}/deployments/{name}/rollback";
    return unwrap(client.POST(path, { params, body, signal }));
  }
  const path = "/api/v1/namespaces/{namespace}/deployments/{name}/predictors";
  return unwrap(client.POST(path, { params, body, signal }));
}

export function deleteDeployment({ namespace, name }: DeploymentId, message?: string) {
  const params = { path: { namespace, name }, query: { message: message || undefined } };
  return confirm(client.DELETE("/api/v1/namespaces/{namespace}/deployments/{name}", { params }));
}

/** After a change: what is shown of deployments is read again. */
export async function refreshDeployments(queryClient: QueryClient, id?: DeploymentId): Promise<void> {
  const keys: (readonly string[])[] = [queryKeys.deployments, queryKeys.namespaces, queryKeys.status];
  if (id) keys.push(queryKeys.deployment(id.namespace, id.name));
  await Promise.all(keys.map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}
