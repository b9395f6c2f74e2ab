import { describe, expect, it } from "vitest";
import { fieldOf, place } from "./field-paths";

describe("fieldOf", () => {
  it.each([
    ["metadata.name", "name"],
    ["metadata.namespace", "namespace"],
    ["metadata.annotations[provost.dev/request-log]", "isLogged"],
    ["spec.predictors[0].graph.modelUri", "main.modelUri"],
    ["spec.predictors[1].graph.implementation", "canary.server"],
    ["spec.predictors[0].graph.parameters[0].value", "main.method"],
    ["spec.predictors[1].traffic", "canaryTraffic"],
    ["spec.predictors", "canaryTraffic"],
    ["spec.predictors[0].componentSpecs[0].spec.containers[0].resources.requests.cpu", "main.cpu"],
    ["spec.predictors[0].componentSpecs[0].spec.containers[0].resources", "main.memory"],
  ])("%s is %s", (path, field) => {
    expect(fieldOf(path, true)).toBe(field);
  });

  it("knows no field for what the form does not show", () => {
    expect(fieldOf("", true)).toBeUndefined();
    expect(fieldOf("spec.protocol", true)).toBeUndefined();
    expect(fieldOf("spec.predictors[2].graph.modelUri", true)).toBeUndefined();
    expect(fieldOf("spec.predictors[1].graph.modelUri", false)).toBeUndefined();
    expect(fieldOf("spec.predictors", false)).toBeUndefined();
  });
});

describe("place", () => {
  it("puts the first message at each field and keeps the others apart", () => {
    const errors = [
      { path: "metadata.name", message: "required" },
      { path: "metadata.name", message: "too short" },
      { path: "spec.protocol", message: "unknown" },
      { message: "no path" },
    ];
    expect(place(errors, false)).toEqual({
      byField: { name: "required" },
      rest: [{ path: "spec.protocol", message: "unknown" }, { message: "no path" }],
    });
  });
});
