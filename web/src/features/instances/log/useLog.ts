import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type LogId, openLog } from "../queries";
import { followLog, type LogQuery } from "./follow";
import { type LogState, LogStore } from "./store";

interface Options {
  isFollowed: boolean;
  /** Whether no more lines can come once the log has come to its end. */
  isFinal: boolean;
}

/** Reads a log while it is shown. Another log needs another component: see React's `key`. */
export function useLog(id: LogId, { isFollowed, isFinal }: Options): LogState & { again: () => void } {
  const [store] = useState(() => new LogStore());
  const [attempt, setAttempt] = useState(0);
  const latest = useRef({ id, isFinal });
  latest.current = { id, isFinal };
  // biome-ignore lint/correctness/useExhaustiveDependencies: an attempt is asked for by the reader.
  useEffect(() => {
    // What was read before a pause stays as it is.
    if (!isFollowed && store.kept().lines.length > 0) {
      store.setReading({ phase: "read" });
      return;
    }
    const abort = new AbortController();
    const follower = {
      open: (query: LogQuery, signal: AbortSignal) => openLog(latest.current.id, query, signal),
      isFollowed,
      isFinal: () => latest.current.isFinal,
      kept: store.kept,
      onLines: store.add,
      onReading: store.setReading,
    };
    void followLog(follower, abort.signal);
    return () => abort.abort();
  }, [store, isFollowed, attempt]);
  const again = useCallback(() => setAttempt((before) => before + 1), []);
  return { ...useSyncExternalStore(store.subscribe, store.state), again };
}
