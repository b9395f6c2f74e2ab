/** What can be done with the predictors of a deployment, one beside the other. */
import { type PredictorValues, SKLEARN } from "./manifest/values";
import type { ManifestChange, Predictor, PredictorChange } from "./queries";

export type Role = "canary" | "shadow";

/** A change to review. */
export interface Change {
  title: string;
  change: ManifestChange;
}

interface Roles {
  /** Gets the traffic that canaries leave; there is none in a manifest that is not valid. */
  main?: Predictor;
  canaries: Predictor[];
  shadows: Predictor[];
}

/** The predictors by what they are there for; the first that is no shadow is the main one. */
export function rolesOf(predictors: Predictor[]): Roles {
  const [main, ...canaries] = predictors.filter(({ shadow }) => !shadow);
  return { main, canaries, shadows: predictors.filter(({ shadow }) => shadow) };
}

/** Promoting and removing, for each predictor that can be. */
export function endings(predictors: Predictor[]): (Change & { label: string })[] {
  const { main, canaries, shadows } = rolesOf(predictors);
  const endingsOf = (role: Role, { name }: Predictor) => [
    {
      label: `Promote ${name}: it takes all traffic, and ${main?.name ?? "the main predictor"} goes`,
      title: `Promote ${name}`,
      change: predictorChange({ change: "promote", role, predictor: name }),
    },
    {
      label: `Remove ${name}`,
      title: `Remove ${name}`,
      change: predictorChange({ change: "remove", role, predictor: name }),
    },
  ];
  return [
    ...canaries.flatMap((one) => endingsOf("canary", one)),
    ...shadows.flatMap((one) => endingsOf("shadow", one)),
  ];
}

/** The most that a canary can get, as the others keep what they have. */
export function mostFor(canary: Predictor, canaries: Predictor[]): number {
  const others = canaries.filter(({ name }) => name !== canary.name);
  return Math.max(0, 100 - others.reduce((sum, { desiredWeight }) => sum + desiredWeight, 0));
}

/** A name that no predictor has: that of the role, with a number where it is taken. */
export function freeName(role: Role, predictors: Predictor[]): string {
  const names = new Set(predictors.map(({ name }) => name));
  let number = 1;
  const name = () => (number === 1 ? role : `${role}-${number}`);
  while (names.has(name())) number += 1;
  return name();
}

/** A copy of the main predictor that serves what the form says. */
export function addition(role: Role, name: string, values: PredictorValues, weight: number): ManifestChange {
  const { server, modelUri, method } = values;
  const hasMethod = method !== "" && server === SKLEARN;
  return predictorChange({
    change: "add",
    role,
    name,
    implementation: server,
    modelUri: modelUri.trim(),
    ...(hasMethod ? { parameters: [{ name: "method", value: method }] } : {}),
    ...(role === "canary" ? { weight } : {}),
  });
}

/** Gives a canary this share of the traffic, in percent. */
export function shift(predictor: string, weight: number): ManifestChange {
  return predictorChange({ change: "weight", predictor, weight });
}

/** Goes back to the manifest of a generation. */
export function rollback(to: number): ManifestChange {
  return { kind: "rollback", body: { to } };
}

function predictorChange(body: PredictorChange): ManifestChange {
  return { kind: "predictors", body };
}

/** Messages as the form knows their places: to it, the predictor at `place` is the second, and others are none. */
export function asCanary<T extends { path?: string | null }>(messages: T[], place: number): T[] {
  return messages.map((message) => {
    const [predictor, index] = /^spec\.predictors\[(\d+)\]/.exec(message.path ?? "") ?? [];
    if (predictor === undefined || index === "0") return message;
    const rest = message.path?.slice(predictor.length);
    return { ...message, path: Number(index) === place ? `spec.predictors[1]${rest}` : "" };
  });
}
