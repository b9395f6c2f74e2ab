import { describe, expect, it } from "vitest";
import { curlCommand, quoteWord } from "./shell";

describe("quoteWord", () => {
  it("leaves plain words alone", () => {
    expect(quoteWord("http://127.0.0.1:8000/seldon/default/iris/api/v1.0/predictions")).toBe(
      "http://127.0.0.1:8000/seldon/default/iris/api/v1.0/predictions",
    );
  });

  it("quotes what a shell would read", () => {
    expect(quoteWord("a b")).toBe("'a b'");
    expect(quoteWord("$(reboot)")).toBe("'$(reboot)'");
    expect(quoteWord("it's")).toBe(`'it'\\''s'`);
    expect(quoteWord("")).toBe("''");
  });
});

describe("curlCommand", () => {
  const url = "http://127.0.0.1:8000/p";

  it("makes the body compact and quotes it", () => {
    expect(curlCommand({ url, body: `{ "data": {"names": ["it's"]} }` })).toBe(
      [
        "curl -sS http://127.0.0.1:8000/p",
        "-H 'Content-Type: application/json'",
        `-d '{"data":{"names":["it'\\''s"]}}'`,
      ].join(" \\\n  "),
    );
  });

  it("pins the predictor", () => {
    expect(curlCommand({ url, body: "{}", predictor: "canary" })).toContain("-H 'provost-predictor: canary'");
  });

  it("sends what is not JSON as it is", () => {
    expect(curlCommand({ url, body: "{ broken" })).toContain("-d '{ broken'");
  });
});
