import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ApiError, type FieldError } from "@/api/problem";
import { useDebounced } from "@/util/useDebounced";
import { applyManifest, type Warning } from "../queries";

export interface DryRun {
  /** `idle` while there is nothing to check yet. */
  state: "idle" | "checking" | "valid" | "invalid" | "unknown";
  errors: FieldError[];
  warnings: Warning[];
  /** What applying would do. */
  action?: "created" | "configured";
}

const PAUSE = 350;

const IDLE: DryRun = { state: "idle", errors: [], warnings: [] };

/** Has the server check a manifest as it is written, without storing it. What is as at first is not checked. */
export function useDryRun(manifest: string, initial: string): DryRun {
  const settled = useDebounced(manifest, PAUSE);
  const isIdle = manifest === initial;
  const { data, error, isPlaceholderData, isPending } = useQuery({
    queryKey: ["dry-run", settled],
    queryFn: ({ signal }) => checkManifest(settled, signal),
    enabled: !isIdle,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
    staleTime: 10_000,
  });
  if (isIdle) return IDLE;
  if (error) return { state: "unknown", errors: [], warnings: [] };
  if (isPending) return { state: "checking", errors: [], warnings: [] };
  return isPlaceholderData || settled !== manifest ? { ...data, state: "checking" } : data;
}

/** What is wrong is an answer here, not an error. */
async function checkManifest(manifest: string, signal: AbortSignal): Promise<DryRun> {
  try {
    const { applied } = await applyManifest({ manifest, isDryRun: true }, signal);
    const warnings = applied.flatMap((one) => one.warnings);
    return { state: "valid", errors: [], warnings, action: applied[0]?.action };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    return { state: "invalid", errors: errorsOf(error), warnings: [] };
  }
}

/** All that is wrong; the problem itself where it names no fields. */
export function errorsOf(error: ApiError): FieldError[] {
  return error.errors.length > 0 ? error.errors : [{ message: error.message }];
}
