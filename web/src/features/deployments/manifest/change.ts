/** Changes of a manifest that are made without editing it. */
import { buildPredictor, CANARY } from "./build";
import { at, isRecord, list } from "./json";
import type { PredictorValues } from "./values";

type Manifest = Record<string, unknown>;
type Predictor = Record<string, unknown>;

/** Gives a manifest of one predictor a canary with this share of the traffic, in percent. */
export function addCanary(manifest: Manifest, canary: PredictorValues, traffic: number): Manifest {
  const [main = {}] = predictorsOf(manifest);
  return withPredictors(manifest, [
    { ...main, traffic: 100 - traffic },
    { ...buildPredictor(canaryName(main), canary, traffic) },
  ]);
}

/** A main predictor may itself be called canary. */
function canaryName(main: Predictor): string {
  return main.name === CANARY ? `${CANARY}-2` : CANARY;
}

/** Splits the traffic by these shares, in percent. */
export function setTraffic(manifest: Manifest, shares: Record<string, number>): Manifest {
  const predictors = predictorsOf(manifest);
  return withPredictors(
    manifest,
    predictors.map((predictor) => ({ ...predictor, traffic: shares[String(predictor.name)] ?? 0 })),
  );
}

/** Lets the main predictor serve what another one serves, alone. It keeps its name. */
export function promote(manifest: Manifest, name: string): Manifest {
  const [main = {}, ...others] = predictorsOf(manifest);
  const promoted = others.find((predictor) => predictor.name === name);
  if (!promoted) return manifest;
  const { traffic: _traffic, ...rest } = promoted;
  return withPredictors(manifest, [{ ...rest, name: main.name }]);
}

/** Removes a predictor; the others share its traffic in proportion. */
export function removePredictor(manifest: Manifest, name: string): Manifest {
  const others = predictorsOf(manifest).filter((predictor) => predictor.name !== name);
  if (others.length === 1) {
    const { traffic: _traffic, ...rest } = others[0] ?? {};
    return withPredictors(manifest, [rest]);
  }
  const shares = inProportion(others.map((predictor) => Number(predictor.traffic) || 0));
  return withPredictors(
    manifest,
    others.map((predictor, index) => ({ ...predictor, traffic: shares[index] })),
  );
}

/** Whole shares in the proportion of these, which sum to 100. */
export function inProportion(weights: number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (total > 0 ? (weight * 100) / total : 100 / weights.length));
  const shares = exact.map(Math.floor);
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder);
  const missing = 100 - shares.reduce((sum, share) => sum + share, 0);
  for (const { index } of byRemainder.slice(0, missing)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}

function predictorsOf(manifest: Manifest): Predictor[] {
  return list(at(manifest, "spec", "predictors")).filter(isRecord);
}

function withPredictors(manifest: Manifest, predictors: Predictor[]): Manifest {
  const spec = isRecord(manifest.spec) ? manifest.spec : {};
  return { ...manifest, spec: { ...spec, predictors } };
}
