import { describe, expect, it } from "vitest";
import { describeContainer, isDone, tellingContainer } from "./container";
import type { Container } from "./queries";

const container = (name: string, rest: Partial<Container> = {}): Container => ({
  name,
  image: "image",
  initial: false,
  ready: true,
  restarts: 0,
  ...rest,
});

describe("tellingContainer", () => {
  it("is the first that serves", () => {
    const containers = [container("fetch", { initial: true }), container("classifier"), container("proxy")];
    expect(tellingContainer({ containers })).toBe("classifier");
  });

  it("is one that holds up the others", () => {
    const containers = [
      container("fetch", { initial: true, ready: false }),
      container("classifier", { ready: false }),
    ];
    expect(tellingContainer({ containers })).toBe("fetch");
    expect(tellingContainer({ containers: [] })).toBeUndefined();
  });
});

describe("describeContainer", () => {
  it("says how it does", () => {
    expect(describeContainer(container("a"))).toBe("Ready");
    expect(describeContainer(container("a", { initial: true }))).toBe("Done");
    expect(describeContainer(container("a", { ready: false }))).toBe("Starting");
    expect(describeContainer(container("a", { ready: false, initial: true }))).toBe("Not done");
    expect(describeContainer(container("a", { ready: false, reason: "CrashLoopBackOff" }))).toBe("Not ready");
  });

  it("knows which have ended for good", () => {
    expect(isDone(container("fetch", { initial: true }))).toBe(true);
    expect(isDone(container("classifier"))).toBe(false);
  });
});
