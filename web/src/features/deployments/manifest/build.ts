/** From the form to the manifest and back. */
import { parse, stringify } from "yaml";
import { at, isRecord, list, text } from "./json";
import { type DeploymentValues, emptyValues, METHODS, type PredictorValues, SKLEARN } from "./values";

export const REQUEST_LOG = "provost.dev/request-log";
export const MAIN = "default";
export const CANARY = "canary";

/** Name of the graph's node, and so of the container that holds its resources. */
export const NODE = "model";

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; annotations?: Record<string, string> };
  spec: { predictors: PredictorManifest[] };
}

interface PredictorManifest {
  name: string;
  traffic?: number;
  graph: {
    name: string;
    implementation: string;
    modelUri: string;
    parameters?: { name: string; type: string; value: string }[];
  };
  componentSpecs?: {
    spec: { containers: { name: string; resources: { requests: Record<string, string> } }[] };
  }[];
}

/** The manifest of what the form says. */
export function buildManifest(values: DeploymentValues): Manifest {
  const { name, namespace, main, hasCanary, canary, canaryTraffic, isLogged } = values;
  const predictors = hasCanary
    ? [
        buildPredictor(MAIN, main, 100 - (canaryTraffic || 0)),
        buildPredictor(CANARY, canary, canaryTraffic || 0),
      ]
    : [buildPredictor(MAIN, main)];
  return {
    apiVersion: "machinelearning.seldon.io/v1",
    kind: "SeldonDeployment",
    metadata: {
      name: name.trim(),
      namespace: namespace.trim(),
      ...(isLogged ? {} : { annotations: { [REQUEST_LOG]: "off" } }),
    },
    spec: { predictors },
  };
}

export function buildPredictor(name: string, values: PredictorValues, traffic?: number): PredictorManifest {
  const { server, modelUri, method } = values;
  const resources = buildRequests(values);
  const hasMethod = method !== "" && server === SKLEARN;
  return {
    name,
    ...(traffic === undefined ? {} : { traffic }),
    graph: {
      name: NODE,
      implementation: server,
      modelUri: modelUri.trim(),
      ...(hasMethod ? { parameters: [{ name: "method", type: "STRING", value: method }] } : {}),
    },
    ...(resources
      ? { componentSpecs: [{ spec: { containers: [{ name: NODE, resources: { requests: resources } }] } }] }
      : {}),
  };
}

function buildRequests({ cpu, memory }: PredictorValues): Record<string, string> | undefined {
  const requests: Record<string, string> = {};
  if (cpu.trim()) requests.cpu = cpu.trim();
  if (memory.trim()) requests.memory = memory.trim();
  return Object.keys(requests).length > 0 ? requests : undefined;
}

/** The manifest as YAML, laid out as the server does. */
export function toYaml(manifest: object): string {
  return stringify(manifest, { lineWidth: 0, indentSeq: false });
}

/** What the form would say for this YAML; nothing where it holds more than the form can show. */
export function valuesOfYaml(yaml: string): DeploymentValues | undefined {
  const document = parseYaml(yaml);
  if (!isRecord(document)) return undefined;
  const values = readValues(document);
  return isSame(buildManifest(values), document) ? values : undefined;
}

function parseYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch {
    return undefined;
  }
}

function readValues(document: Record<string, unknown>): DeploymentValues {
  const predictors = list(at(document, "spec", "predictors"));
  const [main, canary] = predictors;
  const empty = emptyValues("");
  const traffic = at(canary, "traffic");
  return {
    name: text(at(document, "metadata", "name")),
    namespace: text(at(document, "metadata", "namespace")),
    main: readPredictor(main),
    hasCanary: predictors.length > 1,
    canary: canary === undefined ? empty.canary : readPredictor(canary),
    canaryTraffic: typeof traffic === "number" ? traffic : empty.canaryTraffic,
    isLogged: at(document, "metadata", "annotations", REQUEST_LOG) !== "off",
  };
}

function readPredictor(predictor: unknown): PredictorValues {
  const parameters = list(at(predictor, "graph", "parameters"));
  const method = text(
    at(
      parameters.find((parameter) => at(parameter, "name") === "method"),
      "value",
    ),
  );
  const container = list(at(list(at(predictor, "componentSpecs"))[0], "spec", "containers"))[0];
  return {
    server: text(at(predictor, "graph", "implementation")),
    modelUri: text(at(predictor, "graph", "modelUri")),
    method: METHODS.find((known) => known === method) ?? "",
    cpu: text(at(container, "resources", "requests", "cpu")),
    memory: text(at(container, "resources", "requests", "memory")),
  };
}

/** Whether two values of JSON are the same; a number and its text count as one (`cpu: 2`). */
function isSame(a: unknown, b: unknown): boolean {
  if (isRecord(a) && isRecord(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  // An empty field of YAML is null.
  return a === b || (a === "" && b === null) || (typeof b === "number" && String(b) === a);
}
