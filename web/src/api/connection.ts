/** Whether the server was reached the last time it was asked. */
import { useSyncExternalStore } from "react";

let isConnected = true;
const listeners = new Set<() => void>();

export function reportConnection(now: "up" | "down"): void {
  const next = now === "up";
  if (next === isConnected) return;
  isConnected = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useIsConnected(): boolean {
  return useSyncExternalStore(subscribe, () => isConnected);
}
