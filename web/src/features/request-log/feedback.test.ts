import { describe, expect, test } from "vitest";
import { feedbackBody, whatIsWrong } from "./feedback";

const nothing = { requestId: "p", truth: "", reward: "" };

describe("feedback", () => {
  test("tells classes by number or name, an instance each", () => {
    expect(JSON.parse(feedbackBody({ ...nothing, truth: "1, setosa" }))).toEqual({
      response: { meta: { puid: "p" } },
      truth: { data: { ndarray: [1, "setosa"] } },
    });
    expect(JSON.parse(feedbackBody({ ...nothing, reward: "0.5" }))).toEqual({
      response: { meta: { puid: "p" } },
      reward: 0.5,
    });
  });

  test("says what is wrong before it is sent", () => {
    expect(whatIsWrong(nothing, 1)).toMatch("Tell what it should have been");
    expect(whatIsWrong({ ...nothing, reward: "good" }, 1)).toMatch("A reward is a number");
    expect(whatIsWrong({ ...nothing, truth: "1" }, 2)).toBe("There are 2 instances, and 1 values.");
    expect(whatIsWrong({ ...nothing, truth: "1,0", reward: "1" }, 2)).toBeUndefined();
  });
});
