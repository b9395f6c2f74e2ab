/** Which field of the form an error or warning of the server is about. */
import type { FieldError } from "@/api/problem";

/** A field of the form, by its name there. */
export type FieldName =
  | "name"
  | "namespace"
  | "isLogged"
  | "canaryTraffic"
  | `${"main" | "canary"}.${"server" | "modelUri" | "method" | "cpu" | "memory"}`;

/** Paths within a predictor; the first that a path is at or within decides. */
const PREDICTOR_FIELDS = [
  [/^graph\.modelUri$/, "modelUri"],
  [/^graph\.(implementation|type)$/, "server"],
  [/^graph\.parameters(\[|$)/, "method"],
  [/^componentSpecs\[0\]\.spec\.containers\[0\]\.resources\.requests[.[]cpu/, "cpu"],
  [/^componentSpecs\[0\](\.|$)/, "memory"],
] as const;

/** The field that a path of the manifest belongs to; nothing where the form has none. */
export function fieldOf(path: string, hasCanary: boolean): FieldName | undefined {
  if (/^metadata\.name$/.test(path)) return "name";
  if (/^metadata\.namespace$/.test(path)) return "namespace";
  if (/^metadata\.annotations/.test(path)) return "isLogged";
  const inPredictor = /^spec\.predictors\[([01])\]\.(.+)$/.exec(path);
  if (!inPredictor) return hasCanary && path === "spec.predictors" ? "canaryTraffic" : undefined;
  const [, index, rest = ""] = inPredictor;
  if (index === "1" && !hasCanary) return undefined;
  if (/^traffic$/.test(rest)) return hasCanary ? "canaryTraffic" : undefined;
  const field = PREDICTOR_FIELDS.find(([pattern]) => pattern.test(rest))?.[1];
  return field && `${index === "0" ? "main" : "canary"}.${field}`;
}

/** Messages by field, and those that belong to none. */
export interface Placed<T> {
  byField: Partial<Record<FieldName, string>>;
  rest: T[];
}

/** Sorts errors or warnings to the fields they are about. */
export function place<T extends Pick<FieldError, "message"> & { path?: string | null }>(
  messages: T[],
  hasCanary: boolean,
): Placed<T> {
  const byField: Placed<T>["byField"] = {};
  const rest: T[] = [];
  for (const message of messages) {
    const field = fieldOf(message.path ?? "", hasCanary);
    if (!field) rest.push(message);
    // Where a field has several messages, one is enough to begin with.
    else byField[field] ??= message.message;
  }
  return { byField, rest };
}
