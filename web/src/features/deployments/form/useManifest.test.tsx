// @vitest-environment happy-dom
import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { emptyValues } from "../manifest/values";
import { useManifest } from "./useManifest";

const start = () => renderHook(() => useManifest({ ...emptyValues("default"), name: "iris" }));

describe("useManifest", () => {
  it("shows in the text what is typed in the form", () => {
    const { result } = start();
    act(() => result.current.form.setValue("main.modelUri", "/models/iris"));
    expect(result.current.text).toContain("modelUri: /models/iris");
    expect(result.current.isInForm).toBe(true);
  });

  it("shows in the form what is typed in the text, and leaves the text as it was typed", () => {
    const { result } = start();
    const typed = `# mine\n${result.current.text.replace("name: iris", "name: churn")}`;
    act(() => result.current.edit(typed));
    expect(result.current.form.getValues("name")).toBe("churn");
    expect(result.current.text).toBe(typed);
  });

  it("keeps the form apart while the text says more than it can show, and can go back", () => {
    const { result } = start();
    act(() => result.current.edit(`${result.current.text}    replicas: 2\n`));
    expect(result.current.isInForm).toBe(false);
    expect(result.current.form.getValues("name")).toBe("iris");
    act(() => result.current.discardEdits());
    expect(result.current.isInForm).toBe(true);
    expect(result.current.text).not.toContain("replicas");
  });
});
