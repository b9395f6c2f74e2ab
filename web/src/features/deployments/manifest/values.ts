/** What the form of a deployment asks for. */
import * as z from "zod/mini";

/** Methods of scikit-learn's estimators; the empty one is the server's default. */
export const METHODS = [
  "",
  "predict_proba",
  "predict",
  "transform",
  "decision_function",
  "score_samples",
] as const;

/** The model server whose models have methods to choose from. */
export const SKLEARN = "SKLEARN_SERVER";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const QUANTITY = /^(\d+(\.\d*)?|\.\d+)([mkMGTPE]|[KMGTPE]i|e\d+)?$/;

const required = (message: string) => z.string().check(z.trim(), z.minLength(1, message));

const quantity = (example: string) =>
  z.string().check(
    z.trim(),
    z.refine((text) => text === "" || QUANTITY.test(text), `Write a quantity such as ${example}.`),
  );

const predictor = z.object({
  server: required("Choose a model server."),
  modelUri: required("Say where the model's files are."),
  method: z.enum(METHODS),
  cpu: quantity("500m or 2"),
  memory: quantity("256Mi or 1Gi"),
});

const anyPredictor = z.object({
  server: z.string(),
  modelUri: z.string(),
  method: z.enum(METHODS),
  cpu: z.string(),
  memory: z.string(),
});

/** Checks the form; what only the server can tell comes from a dry run. */
export const deploymentSchema = z
  .object({
    name: required("Give the deployment a name.").check(
      z.refine(
        (text) => text === "" || (text.length <= 253 && NAME.test(text)),
        "Use lower-case letters, digits, “-” and “.”, starting and ending with a letter or digit.",
      ),
    ),
    namespace: required("Name a namespace.").check(
      z.refine(
        (text) => text === "" || LABEL.test(text),
        "Use at most 63 lower-case letters, digits and “-”, starting and ending with a letter or digit.",
      ),
    ),
    main: predictor,
    hasCanary: z.boolean(),
    canary: anyPredictor,
    /** Percent. */
    canaryTraffic: z.number(),
    isLogged: z.boolean(),
  })
  .check(({ value, issues }) => {
    // A canary that is switched off may hold anything.
    const checked = value.hasCanary ? z.safeParse(predictor, value.canary) : undefined;
    for (const { path, message } of checked?.error?.issues ?? []) {
      issues.push({ code: "custom", input: value.canary, path: ["canary", ...path], message });
    }
  });

export type PredictorValues = z.infer<typeof predictor>;
export type DeploymentValues = z.infer<typeof deploymentSchema>;

const emptyPredictor: PredictorValues = { server: SKLEARN, modelUri: "", method: "", cpu: "", memory: "" };

export function emptyValues(namespace: string): DeploymentValues {
  return {
    name: "",
    namespace,
    main: emptyPredictor,
    hasCanary: false,
    canary: emptyPredictor,
    canaryTraffic: 10,
    isLogged: true,
  };
}
