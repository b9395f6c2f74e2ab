import { describe, expect, it } from "vitest";
import { addCanary, inProportion, promote, removePredictor, setTraffic } from "./change";

const main = { name: "main", replicas: 1, graph: { name: "classifier", modelUri: "/a" } };
const canary = {
  name: "canary",
  traffic: 10,
  graph: { name: "classifier", modelUri: "/b" },
  labels: { v: "2" },
};
const manifest = (...predictors: object[]) => ({
  kind: "SeldonDeployment",
  spec: { protocol: "seldon", predictors },
});

describe("addCanary", () => {
  it("splits the traffic and leaves the rest as it is", () => {
    const values = { server: "XGBOOST_SERVER", modelUri: "/b", method: "" as const, cpu: "", memory: "" };
    expect(addCanary(manifest(main), values, 10)).toEqual(
      manifest(
        { ...main, traffic: 90 },
        {
          name: "canary",
          traffic: 10,
          graph: { name: "model", implementation: "XGBOOST_SERVER", modelUri: "/b" },
        },
      ),
    );
  });
});

describe("setTraffic", () => {
  it("sets the share of each", () => {
    const changed = setTraffic(manifest(main, canary), { main: 40, canary: 60 });
    expect(changed).toEqual(manifest({ ...main, traffic: 40 }, { ...canary, traffic: 60 }));
  });
});

describe("promote", () => {
  it("leaves one predictor, of the main one's name, with all that the promoted one has", () => {
    const { traffic: _traffic, ...rest } = canary;
    expect(promote(manifest({ ...main, traffic: 90 }, canary), "canary")).toEqual(
      manifest({ ...rest, name: "main" }),
    );
  });
});

describe("removePredictor", () => {
  it("leaves a single one without a share", () => {
    expect(removePredictor(manifest({ ...main, traffic: 90 }, canary), "canary")).toEqual(manifest(main));
  });

  it("shares the traffic among those that stay", () => {
    const third = { ...canary, name: "third", traffic: 30 };
    const changed = removePredictor(manifest({ ...main, traffic: 60 }, canary, third), "canary");
    expect(changed).toEqual(manifest({ ...main, traffic: 67 }, { ...third, traffic: 33 }));
  });
});

describe("inProportion", () => {
  it("always sums to 100", () => {
    expect(inProportion([1, 1, 1])).toEqual([34, 33, 33]);
    expect(inProportion([0, 0])).toEqual([50, 50]);
  });
});
