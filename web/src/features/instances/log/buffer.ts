/** The newest lines of a log; older ones are dropped, so that a log may go on for days. */
import { type LogLine, type ReadLine, rawOf, shownText, timeKey } from "./lines";

/** Most lines that are kept. */
export const LINES_MAX = 5_000;

export function appendLines(
  kept: readonly LogLine[],
  added: readonly ReadLine[],
  most = LINES_MAX,
): readonly LogLine[] {
  if (added.length === 0) return kept;
  const next = (kept.at(-1)?.id ?? -1) + 1;
  return [...kept, ...added.map((line, index) => ({ ...line, id: next + index }))].slice(-most);
}

/** Lines that are drawn together. */
export interface Block {
  number: number;
  lines: LogLine[];
}

const BLOCK = 100;

/** Cuts lines into blocks; a line stays in its block, whatever is added or dropped. */
export function intoBlocks(lines: readonly LogLine[]): Block[] {
  const blocks: Block[] = [];
  for (const line of lines) {
    const number = Math.floor(line.id / BLOCK);
    const last = blocks.at(-1);
    if (last?.number === number) last.lines.push(line);
    else blocks.push({ number, lines: [line] });
  }
  return blocks;
}

/** How many lines were dropped. */
export function droppedOf(kept: readonly LogLine[]): number {
  return kept[0]?.id ?? 0;
}

/**
 * Knows again lines that are sent a second time, when a log is read on from some time before its last line.
 * Lines are compared whole: two may be of the same time, and those of two streams (standard output and error)
 * may stand in the log in another order than that of their times.
 */
export class Overlap {
  readonly #seen = new Map<string, number>();
  /** Older lines were dropped, or never asked for. */
  readonly #oldest: string;

  constructor(kept: readonly LogLine[]) {
    for (const raw of kept.map(rawOf)) this.#seen.set(raw, (this.#seen.get(raw) ?? 0) + 1);
    const first = kept.find(({ time }) => time !== undefined)?.time;
    this.#oldest = first === undefined ? "" : timeKey(first);
  }

  isNew(line: ReadLine): boolean {
    const written = line.time === undefined ? "" : timeKey(line.time);
    if (written !== "" && written < this.#oldest) return false;
    const raw = rawOf(line);
    const times = this.#seen.get(raw) ?? 0;
    if (times > 0) this.#seen.set(raw, times - 1);
    return times === 0;
  }
}

/** More than clocks differ and a line is on its way, in seconds. */
const MARGIN = 10;

/**
 * How far back to read on so that no line is missed: to the last line's time, and in case this computer's clock
 * is behind, at least to when it came.
 */
export function secondsToReadOn(lastTime: string | undefined, lastCame: number, now: number): number {
  const written = Date.parse(lastTime ?? "");
  const from = Number.isNaN(written) ? lastCame : Math.min(written, lastCame);
  return Math.ceil(Math.max(0, now - from) / 1000) + MARGIN;
}

/** The lines in which a text is, in whatever case. */
export function linesWith(kept: readonly LogLine[], find: string): readonly LogLine[] {
  const wanted = find.toLowerCase();
  return wanted === "" ? kept : kept.filter(({ text }) => shownText(text).toLowerCase().includes(wanted));
}
