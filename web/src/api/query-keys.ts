/** Keys of what is read from the server. What a change makes stale is found by their beginnings. */
export const queryKeys = {
  status: ["status"] as const,
  namespaces: ["namespaces"] as const,
  deployments: ["deployments"] as const,
  deployment: (namespace: string, name: string) => ["deployment", namespace, name] as const,
};
