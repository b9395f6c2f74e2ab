import { describe, expect, it } from "vitest";
import { LineSplitter, parseLine, rawOf, shownText, timeKey } from "./lines";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("LineSplitter", () => {
  it("keeps a part of a line until the rest has come", () => {
    const splitter = new LineSplitter();
    expect(splitter.push(bytes("one\ntw"))).toEqual(["one"]);
    expect(splitter.push(bytes("o\r\n\nthree"))).toEqual(["two", ""]);
    expect(splitter.end()).toEqual(["three"]);
    expect(splitter.end()).toEqual([]);
  });

  it("puts characters together that were cut anywhere", () => {
    const text = "größer 🌸\nя\n";
    const all = bytes(text);
    for (let cut = 0; cut <= all.length; cut++) {
      const splitter = new LineSplitter();
      const lines = [
        ...splitter.push(all.slice(0, cut)),
        ...splitter.push(all.slice(cut)),
        ...splitter.end(),
      ];
      expect(lines).toEqual(["größer 🌸", "я"]);
    }
  });
});

describe("parseLine", () => {
  it("takes the time from the text, and gives both back", () => {
    const raw = "2026-11-27T10:00:00.123456789Z  loaded in 2 s";
    expect(parseLine(raw)).toEqual({ time: "2026-11-27T10:00:00.123456789Z", text: " loaded in 2 s" });
    expect(rawOf(parseLine(raw))).toBe(raw);
    expect(parseLine("2026-11-27T10:00:00+02:00")).toEqual({ time: "2026-11-27T10:00:00+02:00", text: "" });
  });

  it("leaves lines without a time as they are", () => {
    expect(parseLine("unable to retrieve container logs")).toEqual({
      text: "unable to retrieve container logs",
    });
    expect(rawOf(parseLine(""))).toBe("");
  });
});

describe("shownText", () => {
  it("drops colours and what was written over", () => {
    expect(shownText("\u001b[1;31mERROR\u001b[0m failed")).toBe("ERROR failed");
    expect(shownText(" 10 %\r 50 %\r100 %")).toBe("100 %");
    expect(shownText("[0m is no colour")).toBe("[0m is no colour");
  });
});

describe("timeKey", () => {
  it("sorts by time, whatever the digits and the zone", () => {
    const inOrder = [
      "2026-11-27T09:59:59.999999999Z",
      "2026-11-27T10:00:00Z",
      "2026-11-27T12:00:00.1+02:00",
      "2026-11-27T10:00:00.10000001Z",
      "2026-11-27T10:00:00.12Z",
    ];
    const keys = inOrder.map(timeKey);
    expect([...keys].reverse().sort()).toEqual(keys);
    expect(timeKey("2026-13-27T10:00:00Z")).toBe("");
    expect(timeKey("2026-11-27T12:00:00.5+02:00")).toBe(timeKey("2026-11-27T10:00:00.50Z"));
  });
});
