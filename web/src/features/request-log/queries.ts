import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, type Schemas, unwrap } from "@/api/client";
import { queryKeys } from "@/api/query-keys";
import type { DeploymentId } from "@/features/deployments/queries";
import { condition } from "./filter";

export type RequestPage = Schemas["RequestPage"];

export interface RequestQuery {
  since?: string;
  until?: string;
  filter?: string;
  limit?: number;
  cursor?: string;
}

export function requestsQuery({ namespace, name }: DeploymentId, query: RequestQuery) {
  return queryOptions({
    queryKey: [...queryKeys.deployment(namespace, name), "requests", query],
    queryFn: ({ signal }) => {
      const params = { path: { namespace, name }, query };
      return unwrap(
        client.GET("/api/v1/namespaces/{namespace}/deployments/{name}/requests", { params, signal }),
      );
    },
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** All rows of one request. */
export function requestQuery(id: DeploymentId, requestId: string) {
  const filter = condition("request_id", "=", requestId);
  return queryOptions({ ...requestsQuery(id, { filter, limit: 1000 }), placeholderData: undefined });
}

/** The newest rows with features: what an example is made of. */
export function newestQuery(id: DeploymentId) {
  return queryOptions({
    ...requestsQuery(id, { filter: "status = 200", limit: 2 }),
    placeholderData: undefined,
    staleTime: 30_000,
  });
}
