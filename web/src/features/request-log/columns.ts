/** What the columns of the request log are called and how their values read. */
import type { Schemas } from "@/api/client";
import { formatLatency, formatNumber, formatTime, formatTimeExact } from "@/util/format";
import type { FilterValue } from "./filter";

export type ColumnGroup = "request" | "feature" | "output" | "feedback";

export interface LogColumn {
  /** Name in the log and in filters. */
  name: string;
  /** Heading. */
  label: string;
  group: ColumnGroup;
  /** Whether it is shown unless the URL says otherwise. */
  isShownAtFirst: boolean;
}

/** One instance of a request. */
export interface LogRow {
  /** Unique: the request's id and the row within it. */
  id: string;
  requestId: string;
  row: number;
  values: Record<string, unknown>;
}

const LABELS: Record<string, string> = {
  time: "Time",
  request_id: "Request id",
  row: "Instance",
  seq: "Sequence",
  predictor: "Predictor",
  revision: "Revision",
  status: "Status",
  latency: "Latency",
  error: "Error",
};

/** What feedback told: it is beside the log, and no filter knows it. */
const FEEDBACK: Record<string, string> = { reward: "Reward", truth: "Truth" };

/** Groups after the request, in their order. */
const RANKS = { feature: 200, output: 300, feedback: 400 };

/** Columns that are shown only when asked for. */
const HIDDEN = new Set(["request_id", "row", "seq", "revision"]);

/** Columns of a request in the order in which they are shown; others come after. */
const ORDER = ["time", "status", "predictor", "latency", "error", "request_id", "row", "revision", "seq"];

/**
 * The columns in the order in which they are shown. Those without a value on this page are hidden at
 * first: requests with other feature names, or without errors, have columns of their own.
 */
export function describeColumns({ columns: names, rows }: Schemas["RequestPage"]): LogColumn[] {
  const hasValues = (index: number) =>
    rows.length === 0 || rows.some((cells: unknown[]) => cells[index] !== null);
  const columns = names.map((name, index) => describeColumn(name, hasValues(index)));
  const rank = ({ name, group }: LogColumn) => {
    if (group !== "request") return RANKS[group];
    const index = ORDER.indexOf(name);
    return index >= 0 ? index : 100;
  };
  // The sort is stable: features and outputs keep their order.
  return columns.sort((a, b) => rank(a) - rank(b));
}

function describeColumn(name: string, hasValues: boolean): LogColumn {
  const isShownAtFirst = hasValues && !HIDDEN.has(name);
  if (name.startsWith("x.")) return { name, label: name.slice(2), group: "feature", isShownAtFirst };
  if (name.startsWith("y.")) return { name, label: name.slice(2), group: "output", isShownAtFirst };
  const feedback = FEEDBACK[name];
  if (feedback) return { name, label: feedback, group: "feedback", isShownAtFirst };
  return { name, label: LABELS[name] ?? name, group: "request", isShownAtFirst };
}

/** The rows of a page, each with its values by column. */
export function rowsOf({ columns, rows }: Schemas["RequestPage"]): LogRow[] {
  return rows.map((cells: unknown[], position) => {
    const values = Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? null]));
    const requestId = typeof values.request_id === "string" ? values.request_id : "";
    const row = typeof values.row === "number" ? values.row : 0;
    return { id: requestId ? `${requestId}:${row}` : String(position), requestId, row, values };
  });
}

/** Milliseconds of a latency, which the log holds in seconds. */
function milliseconds(latency: number): number {
  return latency * 1000;
}

/** A value as text for a person. */
export function formatValue(name: string, value: unknown, form: "short" | "exact" = "short"): string {
  if (value === null || value === undefined || value === "") return "–";
  if (name === "time" && typeof value === "string") {
    return form === "exact" ? formatTimeExact(value) : formatTime(value);
  }
  if (name === "latency" && typeof value === "number") return formatLatency(milliseconds(value));
  if (name === "status" || name === "row" || name === "seq") return String(value);
  if (typeof value === "number") return form === "exact" ? String(value) : formatNumber(value, 4);
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** The value as one that a filter can compare with; nothing where there is none. */
export function filterValue({ group }: LogColumn, value: unknown): FilterValue | undefined {
  if (group === "feedback") return undefined;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return undefined;
}
