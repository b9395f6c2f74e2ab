/** From the bytes of a log to its lines. */

export interface LogLine {
  /** Its place among all lines that were read, from 0. */
  id: number;
  /** When it was written (RFC 3339); the server puts it before each line. */
  time?: string;
  text: string;
}

/** A line without its place. */
export type ReadLine = Omit<LogLine, "id">;

const TIMED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))(?: |$)/;

export function parseLine(raw: string): ReadLine {
  const [start, time] = TIMED.exec(raw) ?? [];
  return start === undefined ? { text: raw } : { time, text: raw.slice(start.length) };
}

/** The line as the server sent it. */
export function rawOf({ time, text }: ReadLine): string {
  return time === undefined ? text : `${time} ${text}`;
}

/** Cuts what comes in pieces into lines; a piece may end within a line, or within a character. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  push(bytes: Uint8Array): string[] {
    return this.#cut(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The last line, where the log ends without a line feed. One that a broken stream left is no line. */
  end(): string[] {
    const lines = this.#cut(this.#decoder.decode());
    const last = this.#rest;
    this.#rest = "";
    return last === "" ? lines : [...lines, last];
  }

  #cut(text: string): string[] {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop() ?? "";
    return parts.map((part) => (part.endsWith("\r") ? part.slice(0, -1) : part));
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are told colours by them.
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** A line as a terminal shows it: without colours, and where it was written over, what came last. */
export function shownText(text: string): string {
  const plain = text.includes("\u001b") ? text.replace(ESCAPES, "") : text;
  return plain.slice(plain.lastIndexOf("\r") + 1);
}

/** A time as a text that sorts, to the nanosecond and whatever its zone; empty where it is no time. */
export function timeKey(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  const seconds = Date.parse(time.replace(/\.\d+/, "")) / 1000;
  if (Number.isNaN(seconds)) return "";
  return `${String(seconds).padStart(12, "0")}.${fraction.padEnd(9, "0")}`;
}
