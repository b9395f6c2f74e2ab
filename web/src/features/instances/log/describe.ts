/** How reading a log goes, in words. */
import { sentence } from "@/util/sentence";
import type { Container } from "../queries";
import type { Reading } from "./follow";

export interface ReadingStatus {
  tone: "healthy" | "progressing" | "failed" | "unknown";
  /** In a word or two. */
  word: string;
  /** What it means, where the word does not say it all. */
  detail?: string;
  /** Whether reading again may help. */
  canTryAgain?: boolean;
}

interface Circumstances {
  /** As the cluster tells of it now. */
  container?: Container;
  isGone: boolean;
  /** Whether the log is that of the container that ran before. */
  isPrevious: boolean;
}

const GONE = "The instance is gone: these are the lines that were read of it.";
const AGAIN = "Trying again every few seconds; no line is lost.";

export function describeReading(
  reading: Reading,
  { container, isGone, isPrevious }: Circumstances,
): ReadingStatus {
  if (reading.phase === "gone" || (isGone && reading.phase !== "live")) {
    return { tone: "failed", word: "Gone", detail: GONE };
  }
  switch (reading.phase) {
    case "opening":
      return { tone: "progressing", word: "Opening" };
    case "live":
      return { tone: "healthy", word: "Live" };
    case "read":
      return isPrevious
        ? {
            tone: "unknown",
            word: "Ended",
            detail: "This container ended; the one after it has a log of its own.",
          }
        : { tone: "unknown", word: "Paused", detail: "New lines come in once you resume." };
    case "ended":
      return describeEnd(container);
    case "broken":
      return {
        tone: "failed",
        word: "Interrupted",
        detail: `${sentence(reading.reason)} ${AGAIN}`,
        canTryAgain: true,
      };
    case "refused":
      return { tone: "progressing", word: "No log", detail: sentence(reading.reason), canTryAgain: true };
  }
}

function describeEnd(container?: Container): ReadingStatus {
  if (container?.initial && container.ready) {
    return { tone: "unknown", word: "Ended", detail: "The container did its work." };
  }
  if (container?.reason) {
    const detail = `The container ended: ${sentence(container.reason)} Lines come in again once it is started again.`;
    return { tone: "failed", word: "Ended", detail, canTryAgain: true };
  }
  return {
    tone: "progressing",
    word: "Ended",
    detail: `The log came to its end. ${AGAIN}`,
    canTryAgain: true,
  };
}
