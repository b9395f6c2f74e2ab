import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ApiError, type FieldError } from "@/api/problem";
import { useDebounced } from "@/util/useDebounced";
import { type ApplyResult, applyManifest, type Warning } from "../queries";

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

type Send<T> = (value: T, signal: AbortSignal) => Promise<ApplyResult>;

/** Has the server check a manifest as it is written, without storing it. What is as at first is not checked. */
export function useDryRun(manifest: string, initial: string): DryRun {
  return useDryRunOf(manifest, initial, sendManifest);
}

/** The same for anything that `send` asks the server for, without having it done. */
export function useDryRunOf<T>(value: T, initial: T, send: Send<T>): DryRun {
  const text = JSON.stringify(value);
  const settled = useDebounced(text, PAUSE);
  const isIdle = text === JSON.stringify(initial);
  const { data, error, isPlaceholderData, isPending } = useQuery({
    queryKey: ["dry-run", settled],
    queryFn: ({ signal }) => check(send(value, signal)),
    enabled: !isIdle && settled === text,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
    staleTime: 10_000,
  });
  if (isIdle) return IDLE;
  if (error) return { state: "unknown", errors: [], warnings: [] };
  if (isPending) return { state: "checking", errors: [], warnings: [] };
  return isPlaceholderData || settled !== text ? { ...data, state: "checking" } : data;
}

function sendManifest(manifest: string, signal: AbortSignal): Promise<ApplyResult> {
  return applyManifest({ manifest, isDryRun: true }, signal);
}

/** What is wrong is an answer here, not an error. */
async function check(answer: Promise<ApplyResult>): Promise<DryRun> {
  try {
    const { applied } = await answer;
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
