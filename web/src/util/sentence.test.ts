import { describe, expect, it } from "vitest";
import { sentence } from "./sentence";

describe("sentence", () => {
  it("begins with a capital where it begins with a word", () => {
    expect(sentence("not supported yet; remove it")).toBe("Not supported yet; remove it.");
    expect(sentence("`grpc` is not supported")).toBe("`grpc` is not supported.");
    expect(sentence("Traffic must sum to 100.")).toBe("Traffic must sum to 100.");
    expect(sentence("sklearn.svm.SVC is not supported")).toBe("sklearn.svm.SVC is not supported.");
  });
});
