import { QueryClient } from "@tanstack/react-query";
import { ConnectionError } from "./problem";

/** How data is kept. The server may be on this machine, so being offline says nothing about it. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        staleTime: 1_000,
        retry: (failures, error) => error instanceof ConnectionError && failures < 1,
        retryDelay: 500,
      },
      mutations: { networkMode: "always" },
    },
  });
}
