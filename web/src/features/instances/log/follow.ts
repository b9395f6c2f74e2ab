/** Reads a log, and reads on for as long as it is followed: over broken streams and containers that start again. */
import { ApiError, isNotFound, messageOf } from "@/api/problem";
import { LINES_MAX, Overlap, secondsToReadOn } from "./buffer";
import { LineSplitter, type LogLine, parseLine, type ReadLine } from "./lines";

/** How reading goes. */
export type Reading =
  /** Was asked for; nothing has come yet. */
  | { phase: "opening" }
  /** Lines come in as they are written. */
  | { phase: "live" }
  /** All was read, and it is not followed. */
  | { phase: "read" }
  /** The log came to its end, as when the container ended; it is asked for again from time to time. */
  | { phase: "ended" }
  /** The stream broke, or the server was not reached; likewise. */
  | { phase: "broken"; reason: string }
  /** The server has none to give, as before a container starts; likewise. */
  | { phase: "refused"; reason: string }
  /** The instance is gone. */
  | { phase: "gone"; reason: string };

export interface LogQuery {
  tail: number;
  sinceSeconds?: number;
  follow: boolean;
}

export interface Follower {
  open: (query: LogQuery, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  /** Whether to go on after what there is. */
  isFollowed: boolean;
  /** The lines that were read before, and when the last of them came. */
  kept: () => { lines: readonly LogLine[]; lastCame: number };
  /** Whether there can be no more lines once the log has come to its end. */
  isFinal: () => boolean;
  onLines: (lines: ReadLine[]) => void;
  onReading: (reading: Reading) => void;
}

/** Most lines of an answer that goes on after others: no fewer than are kept, so that none of these is missed. */
const TAIL_MAX = 10_000;
/** How long a stream must stay open to be called live, in milliseconds: what ended just ends again. */
const SETTLED = 1_000;
const WAIT_MAX = 10_000;

/** Reads until there is no more to come, or until it is aborted. */
export async function followLog(follower: Follower, signal: AbortSignal): Promise<void> {
  follower.onReading({ phase: "opening" });
  for (let attempt = 0; !signal.aborted; attempt++) {
    const begun = Date.now();
    const reading = await readOnce(follower, signal);
    if (signal.aborted) return;
    follower.onReading(reading);
    if (!isWorthAnother(reading, follower)) return;
    // What had been open for long is asked for again at once.
    if (Date.now() - begun > WAIT_MAX) attempt = 0;
    await pause(Math.min(WAIT_MAX, 500 * 2 ** attempt), signal);
  }
}

function isWorthAnother({ phase }: Reading, { isFollowed, isFinal }: Follower): boolean {
  if (phase === "gone" || phase === "read" || !isFollowed) return false;
  return phase !== "ended" || !isFinal();
}

/** Reads one stream to its end; says how it ended. */
async function readOnce(follower: Follower, signal: AbortSignal): Promise<Reading> {
  try {
    const kept = follower.kept();
    const stream = await follower.open(queryOf(follower.isFollowed, kept), signal);
    await readStream(stream, new Overlap(kept.lines), follower);
    return { phase: follower.isFollowed ? "ended" : "read" };
  } catch (error) {
    const reason = messageOf(error);
    if (isNotFound(error)) return { phase: "gone", reason };
    const isRefused = error instanceof ApiError && error.status < 500;
    return { phase: isRefused ? "refused" : "broken", reason };
  }
}

function queryOf(follow: boolean, { lines, lastCame }: ReturnType<Follower["kept"]>): LogQuery {
  const last = lines.at(-1);
  if (!last) return { tail: LINES_MAX, follow };
  return { tail: TAIL_MAX, sinceSeconds: secondsToReadOn(last.time, lastCame, Date.now()), follow };
}

async function readStream(stream: ReadableStream<Uint8Array>, overlap: Overlap, follower: Follower) {
  const splitter = new LineSplitter();
  const { isFollowed, onLines, onReading } = follower;
  const live = () => onReading({ phase: "live" });
  const settled = isFollowed ? setTimeout(live, SETTLED) : undefined;
  const take = (raw: string[]) => {
    const lines = raw.map(parseLine).filter((line) => overlap.isNew(line));
    if (lines.length === 0) return;
    if (isFollowed) live();
    onLines(lines);
  };
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      take(splitter.push(value));
    }
    take(splitter.end());
  } finally {
    clearTimeout(settled);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener("abort", finish);
  });
}
