import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, type Schemas, unwrap } from "@/api/client";
import { ApiError, toProblem } from "@/api/problem";
import { queryKeys } from "@/api/query-keys";
import type { DeploymentId } from "@/features/deployments/queries";
import type { LogQuery } from "./log/follow";

export type Instance = Schemas["InstanceSummary"];
export type Container = Schemas["ContainerSummary"];
export type ClusterEvent = Schemas["EventSummary"];
export type UsageSeries = Schemas["UsageSeries"];

/** While the page is visible. */
const EVERY = 3_000;

export function instancesQuery({ namespace, name }: DeploymentId) {
  return queryOptions({
    queryKey: [...queryKeys.deployment(namespace, name), "instances"],
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name } };
      return unwrap(
        client.GET("/api/v1/namespaces/{namespace}/deployments/{name}/instances", { params, signal }),
      );
    },
    refetchInterval: EVERY,
  });
}

export function eventsQuery({ namespace, name }: DeploymentId) {
  return queryOptions({
    queryKey: [...queryKeys.deployment(namespace, name), "events"],
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name } };
      return unwrap(
        client.GET("/api/v1/namespaces/{namespace}/deployments/{name}/events", { params, signal }),
      );
    },
    refetchInterval: EVERY,
  });
}

export function usageQuery({ namespace, name }: DeploymentId, seconds: number) {
  return queryOptions({
    queryKey: [...queryKeys.deployment(namespace, name), "usage", seconds],
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name }, query: { seconds } };
      return unwrap(
        client.GET("/api/v1/namespaces/{namespace}/deployments/{name}/usage", { params, signal }),
      );
    },
    placeholderData: keepPreviousData,
    refetchInterval: EVERY,
  });
}

/** Names a log. */
export interface LogId extends DeploymentId {
  instance: string;
  container?: string;
  /** Whether it is that of the container that ran before. */
  isPrevious: boolean;
}

/** Asks for a log, as bytes that come as they are written. */
export async function openLog(
  { namespace, name, instance, container, isPrevious }: LogId,
  query: LogQuery,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const params = {
    path: { namespace, name, instance },
    query: { ...query, container, previous: isPrevious || undefined },
  };
  const path = "/api/v1/namespaces/{namespace}/deployments/{name}/instances/{instance}/log";
  const { data, error, response } = await client.GET(path, { params, signal, parseAs: "stream" });
  if (!response.ok) throw new ApiError(toProblem(error, response));
  // An empty log may come without a body.
  return data ?? new Blob([]).stream();
}
