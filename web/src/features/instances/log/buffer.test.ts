import { describe, expect, it } from "vitest";
import { appendLines, droppedOf, intoBlocks, linesWith, Overlap, secondsToReadOn } from "./buffer";
import type { ReadLine } from "./lines";

const at = (second: string, text: string): ReadLine => ({ time: `2026-11-27T10:00:${second}Z`, text });

describe("appendLines", () => {
  it("keeps the newest and says how many it dropped", () => {
    const three = appendLines([], [{ text: "a" }, { text: "b" }, { text: "c" }], 4);
    expect(droppedOf(three)).toBe(0);
    const four = appendLines(three, [{ text: "d" }, { text: "e" }, { text: "f" }], 4);
    expect(four.map(({ text }) => text)).toEqual(["c", "d", "e", "f"]);
    expect(droppedOf(four)).toBe(2);
    expect(appendLines(four, [], 4)).toBe(four);
  });
});

describe("intoBlocks", () => {
  it("leaves lines in their blocks when older ones are dropped", () => {
    const many = Array.from({ length: 250 }, (_, index) => ({ text: `${index}` }));
    const sizes = (most: number) =>
      intoBlocks(appendLines([], many, most)).map(({ number, lines }) => [number, lines.length]);
    expect(sizes(250)).toEqual([
      [0, 100],
      [1, 100],
      [2, 50],
    ]);
    expect(sizes(70)).toEqual([
      [1, 20],
      [2, 50],
    ]);
  });
});

describe("Overlap", () => {
  const read = (kept: ReadLine[], sent: ReadLine[]) => {
    const overlap = new Overlap(appendLines([], kept));
    return sent.filter((line) => overlap.isNew(line)).map(({ text }) => text);
  };

  it("neither repeats nor loses lines of the same time", () => {
    const kept = [at("01", "a"), at("02", "b"), at("02", "b")];
    expect(read(kept, [...kept, at("02", "b"), at("02", "c"), at("03", "d")])).toEqual(["b", "c", "d"]);
  });

  it("takes lines whose times are not in order", () => {
    const kept = [at("01", "out"), at("03", "err")];
    expect(read(kept, [...kept, at("02", "late"), at("04", "next")])).toEqual(["late", "next"]);
  });

  it("leaves out what is older than anything kept", () => {
    expect(read([at("05", "first")], [at("04", "dropped"), at("05", "first"), at("06", "new")])).toEqual([
      "new",
    ]);
  });

  it("takes everything when nothing was read, and lines without times", () => {
    expect(read([], [at("01", "a"), { text: "no time" }])).toEqual(["a", "no time"]);
    expect(read([{ text: "no time" }], [{ text: "no time" }, at("01", "a")])).toEqual(["a"]);
  });
});

describe("secondsToReadOn", () => {
  const time = "2026-11-27T10:00:00Z";
  const now = Date.parse(time) + 60_000;

  it("goes back to the last line", () => {
    expect(secondsToReadOn(time, now - 1_000, now)).toBe(70);
  });

  it("goes back to when it came where that is longer, as with a clock that is behind", () => {
    expect(secondsToReadOn("2026-11-27T11:00:00Z", now - 30_000, now)).toBe(40);
    expect(secondsToReadOn(undefined, now - 500, now)).toBe(11);
    expect(secondsToReadOn("2026-13-27T10:00:00Z", now + 500, now)).toBe(10);
  });
});

describe("linesWith", () => {
  it("finds a text in whatever case", () => {
    const kept = appendLines([], [{ text: "ERROR one" }, { text: "fine" }]);
    expect(linesWith(kept, "error").map(({ text }) => text)).toEqual(["ERROR one"]);
    expect(linesWith(kept, "")).toBe(kept);
  });
});
