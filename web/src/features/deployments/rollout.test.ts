import { describe, expect, it } from "vitest";
import type { Predictor } from "./queries";
import { addition, asCanary, endings, freeName, mostFor, rolesOf } from "./rollout";

const predictor = (name: string, desiredWeight: number, shadow?: boolean): Predictor => ({
  name,
  state: "Available",
  weight: desiredWeight,
  desiredWeight,
  shadow,
  node: "classifier",
  implementation: "SKLEARN_SERVER",
});

const main = predictor("main", 60);
const blue = predictor("blue", 30);
const green = predictor("green", 10);
const copy = predictor("copy", 0, true);

describe("rolesOf", () => {
  it("takes the first that is no shadow for the main one", () => {
    expect(rolesOf([copy, main, blue, green])).toEqual({ main, canaries: [blue, green], shadows: [copy] });
  });
});

describe("endings", () => {
  it("promotes and removes each predictor but the main one, as what it is", () => {
    expect(endings([main, blue, copy]).map(({ title, change }) => [title, change.body])).toEqual([
      ["Promote blue", { change: "promote", role: "canary", predictor: "blue" }],
      ["Remove blue", { change: "remove", role: "canary", predictor: "blue" }],
      ["Promote copy", { change: "promote", role: "shadow", predictor: "copy" }],
      ["Remove copy", { change: "remove", role: "shadow", predictor: "copy" }],
    ]);
    expect(endings([main])).toEqual([]);
  });
});

describe("mostFor", () => {
  it("leaves to other canaries what they have", () => {
    expect(mostFor(blue, [blue, green])).toBe(90);
    expect(mostFor(blue, [blue])).toBe(100);
  });
});

describe("freeName", () => {
  it("is that of the role, with a number where it is taken", () => {
    expect(freeName("canary", [main, blue])).toBe("canary");
    expect(freeName("canary", [predictor("canary", 90), predictor("canary-2", 10)])).toBe("canary-3");
    expect(freeName("shadow", [predictor("canary", 100)])).toBe("shadow");
  });
});

describe("addition", () => {
  const values = { server: "XGBOOST_SERVER", modelUri: " /b ", method: "" as const, cpu: "", memory: "" };

  it("says what is served, and how much of the traffic a canary gets", () => {
    expect(addition("canary", "canary-2", values, 25).body).toEqual({
      change: "add",
      role: "canary",
      name: "canary-2",
      implementation: "XGBOOST_SERVER",
      modelUri: "/b",
      weight: 25,
    });
  });

  it("gives a shadow no share, and a method only to models that have some", () => {
    const sklearn = { ...values, server: "SKLEARN_SERVER", method: "predict" as const };
    expect(addition("shadow", "shadow", sklearn, 25).body).toEqual({
      change: "add",
      role: "shadow",
      name: "shadow",
      implementation: "SKLEARN_SERVER",
      modelUri: "/b",
      parameters: [{ name: "method", value: "predict" }],
    });
    expect(addition("shadow", "shadow", { ...sklearn, server: "XGBOOST_SERVER" }, 0).body).not.toHaveProperty(
      "parameters",
    );
  });
});

describe("asCanary", () => {
  it("moves messages about the new predictor to where the form has its canary", () => {
    const paths = asCanary(
      [{ path: "spec.predictors[2].graph.modelUri" }, { path: "spec.predictors[0].traffic" }, { path: null }],
      2,
    ).map(({ path }) => path);
    expect(paths).toEqual(["spec.predictors[1].graph.modelUri", "spec.predictors[0].traffic", null]);
  });

  it("keeps messages about another predictor from the form's canary", () => {
    expect(asCanary([{ path: "spec.predictors[1].graph.modelUri" }], 2)).toEqual([{ path: "" }]);
  });
});
