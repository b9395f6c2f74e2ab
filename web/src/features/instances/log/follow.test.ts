import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, ConnectionError } from "@/api/problem";
import { type Follower, followLog, type LogQuery, type Reading } from "./follow";
import { LogStore } from "./store";

const NOW = Date.parse("2026-11-27T10:00:30Z");
const at = (second: number, text: string) =>
  `2026-11-27T10:00:${String(second).padStart(2, "0")}.5Z ${text}\n`;
const problem = (status: number, detail: string) =>
  new ApiError({ type: "about:blank", title: "", status, code: "code", detail });

/** A stream that gives these texts, then ends, breaks, or stays open. */
function stream(texts: string[], end: "end" | "break" | "stay"): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
      if (end === "end") controller.close();
    },
    pull(controller) {
      if (end === "break") controller.error(new TypeError("network error"));
    },
  });
}

type Answer = ReadableStream<Uint8Array> | Error;

function start(answers: Answer[], rest: Partial<Follower> = {}) {
  const store = new LogStore();
  const queries: LogQuery[] = [];
  const readings: Reading["phase"][] = [];
  const abort = new AbortController();
  const follower: Follower = {
    open: async (query) => {
      queries.push(query);
      const answer = answers.shift() ?? problem(404, "gone");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    isFollowed: true,
    isFinal: () => false,
    kept: store.kept,
    onLines: store.add,
    onReading: (reading) => {
      if (readings.at(-1) !== reading.phase) readings.push(reading.phase);
      store.setReading(reading);
    },
    ...rest,
  };
  const finished = followLog(follower, abort.signal);
  const texts = () => store.kept().lines.map(({ text }) => text);
  return { queries, readings, abort, finished, texts, store };
}

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

describe("followLog", () => {
  it("reads on after a break where it was, and takes no line that was cut off", async () => {
    const first = [at(1, "one"), at(2, "two"), at(3, "thr").slice(0, -1)];
    const again = [at(1, "one"), at(2, "two"), at(3, "three"), at(4, "four")];
    const { queries, readings, texts, finished } = start([stream(first, "break"), stream(again, "end")]);
    await vi.runAllTimersAsync();
    await finished;
    expect(texts()).toEqual(["one", "two", "three", "four"]);
    expect(queries[0]).toEqual({ tail: 5_000, follow: true });
    // From 10:00:02.5, half a second after 10:00:30, and the margin.
    expect(queries[1]).toEqual({ tail: 10_000, sinceSeconds: 38, follow: true });
    expect(readings).toEqual(["opening", "live", "broken", "live", "ended", "gone"]);
  });

  it("says why there is no log yet, and asks again", async () => {
    const answers = [
      problem(400, "waits to start"),
      new ConnectionError("refused"),
      stream([at(1, "up")], "stay"),
    ];
    const { readings, texts, abort, finished } = start(answers);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(readings).toEqual(["opening", "refused", "broken", "live"]);
    expect(texts()).toEqual(["up"]);
    abort.abort();
    void finished;
  });

  it("calls a silent stream live once it has stayed open", async () => {
    const { readings, store } = start([stream([], "stay")]);
    await vi.advanceTimersByTimeAsync(100);
    expect(readings).toEqual(["opening"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.state().reading.phase).toBe("live");
  });

  it("reads once where it does not follow", async () => {
    const { queries, readings, texts, finished } = start([stream([at(1, "one")], "end")], {
      isFollowed: false,
    });
    await vi.runAllTimersAsync();
    await finished;
    expect([queries.length, readings, texts()]).toEqual([1, ["opening", "read"], ["one"]]);
  });

  it("stops at the end of what is not started again, and when it is aborted", async () => {
    const done = start([stream([at(1, "fetched")], "end")], { isFinal: () => true });
    await vi.runAllTimersAsync();
    await done.finished;
    expect(done.readings).toEqual(["opening", "live", "ended"]);

    const left = start([stream([], "end")]);
    left.abort.abort();
    await vi.runAllTimersAsync();
    await left.finished;
    expect([left.queries.length, left.readings]).toEqual([1, ["opening"]]);
  });
});
