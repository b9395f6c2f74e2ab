import { describe, expect, it } from "vitest";
import { buildManifest, toYaml, valuesOfYaml } from "./build";
import { type DeploymentValues, deploymentSchema, emptyValues } from "./values";

const iris: DeploymentValues = {
  ...emptyValues("default"),
  name: "iris",
  main: { server: "SKLEARN_SERVER", modelUri: " /models/iris ", method: "", cpu: "", memory: "" },
};

const full: DeploymentValues = {
  ...iris,
  main: { ...iris.main, modelUri: "/models/iris", method: "predict", cpu: "500m", memory: "256Mi" },
  hasCanary: true,
  canary: { server: "XGBOOST_SERVER", modelUri: "file:///models/x.ubj", method: "", cpu: "2", memory: "" },
  canaryTraffic: 25,
  isLogged: false,
};

describe("buildManifest", () => {
  it("says no more than it must", () => {
    expect(toYaml(buildManifest(iris))).toBe(
      [
        "apiVersion: machinelearning.seldon.io/v1",
        "kind: SeldonDeployment",
        "metadata:",
        "  name: iris",
        "  namespace: default",
        "spec:",
        "  predictors:",
        "  - name: default",
        "    graph:",
        "      name: model",
        "      implementation: SKLEARN_SERVER",
        "      modelUri: /models/iris",
        "",
      ].join("\n"),
    );
  });

  it("puts resources in a container of the node's name, and splits the traffic", () => {
    expect(buildManifest(full)).toMatchObject({
      metadata: { annotations: { "provost.dev/request-log": "off" } },
      spec: {
        predictors: [
          {
            traffic: 75,
            graph: { parameters: [{ name: "method", type: "STRING", value: "predict" }] },
            componentSpecs: [
              {
                spec: {
                  containers: [{ name: "model", resources: { requests: { cpu: "500m", memory: "256Mi" } } }],
                },
              },
            ],
          },
          { name: "canary", traffic: 25, graph: { implementation: "XGBOOST_SERVER" } },
        ],
      },
    });
  });

  it("gives a method only to servers that have methods", () => {
    const manifest = buildManifest({
      ...iris,
      main: { ...iris.main, server: "XGBOOST_SERVER", method: "predict" },
    });
    expect(manifest.spec.predictors[0]?.graph.parameters).toBeUndefined();
  });

  it("keeps names that YAML could misread", () => {
    const values = { ...iris, name: "1e3", namespace: "on" };
    expect(valuesOfYaml(toYaml(buildManifest(values)))).toMatchObject({ name: "1e3", namespace: "on" });
  });
});

describe("valuesOfYaml", () => {
  it("reads what the form wrote", () => {
    expect(valuesOfYaml(toYaml(buildManifest(full)))).toEqual(full);
  });

  it("takes numbers where Kubernetes does", () => {
    const yaml = toYaml(buildManifest(full)).replace('cpu: "2"', "cpu: 2");
    expect(yaml).toContain("cpu: 2");
    expect(valuesOfYaml(yaml)?.canary.cpu).toBe("2");
  });

  it("gives nothing for more than the form shows", () => {
    const yaml = toYaml(buildManifest(iris));
    expect(valuesOfYaml(`${yaml}    replicas: 2\n`)).toBeUndefined();
    expect(valuesOfYaml(yaml.replace("name: model", "name: classifier"))).toBeUndefined();
    expect(valuesOfYaml(yaml.replace("spec:", "spec: ["))).toBeUndefined();
    expect(valuesOfYaml("")).toBeUndefined();
  });

  it("is not misled while a field is empty", () => {
    const yaml = toYaml(buildManifest(iris)).replace("modelUri: /models/iris", "modelUri:");
    expect(valuesOfYaml(yaml)?.main.modelUri).toBe("");
  });
});

describe("deploymentSchema", () => {
  const messagesOf = (values: DeploymentValues) =>
    deploymentSchema.safeParse(values).error?.issues.map((issue) => issue.path.join(".")) ?? [];

  it("accepts what is complete", () => {
    expect(messagesOf(full)).toEqual([]);
  });

  it("asks for name and model", () => {
    expect(messagesOf(emptyValues("default"))).toEqual(["name", "main.modelUri"]);
  });

  it("checks names and quantities", () => {
    const values = { ...full, name: "Iris_1", main: { ...full.main, memory: "much" } };
    expect(messagesOf(values)).toEqual(["name", "main.memory"]);
  });

  it("checks a canary only while there is one", () => {
    const values = { ...full, canary: { ...full.canary, modelUri: "" } };
    expect(messagesOf(values)).toEqual(["canary.modelUri"]);
    expect(messagesOf({ ...values, hasCanary: false })).toEqual([]);
  });
});
