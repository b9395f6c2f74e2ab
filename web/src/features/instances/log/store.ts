/** The lines of one log and how reading them goes, for React to look at. */
import { appendLines } from "./buffer";
import type { Reading } from "./follow";
import type { LogLine, ReadLine } from "./lines";

export interface LogState {
  lines: readonly LogLine[];
  reading: Reading;
}

/** How long lines are gathered before they are shown, in milliseconds. */
const GATHER = 80;

export class LogStore {
  #state: LogState = { lines: [], reading: { phase: "opening" } };
  #lines: readonly LogLine[] = [];
  #lastCame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): LogState => this.#state;

  readonly kept = () => ({ lines: this.#lines, lastCame: this.#lastCame });

  readonly add = (lines: ReadLine[]) => {
    this.#lines = appendLines(this.#lines, lines);
    this.#lastCame = Date.now();
    this.#timer ??= setTimeout(() => this.#show(this.#state.reading), GATHER);
  };

  readonly setReading = (reading: Reading) => {
    if (reading.phase !== "live" || this.#state.reading.phase !== "live") this.#show(reading);
  };

  #show(reading: Reading): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#state = { lines: this.#lines, reading };
    for (const listener of this.#listeners) listener();
  }
}
