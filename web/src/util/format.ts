/** Numbers and times for people. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A number with at most this many significant digits, without trailing zeros. */
export function formatNumber(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e15) return value.toExponential(Math.min(digits, 4) - 1);
  return String(Number(value.toPrecision(digits)));
}

/** Requests a second. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return "0";
  if (perSecond >= 1000) return `${formatNumber(perSecond / 1000, 3)}k`;
  return perSecond < 0.01 ? "<0.01" : formatNumber(perSecond, perSecond < 1 ? 2 : 3);
}

/** Milliseconds, in the unit in which they are short: `85 µs`, `1.2 ms`, `3 s`. */
export function formatLatency(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  if (milliseconds < 0.001) return `${formatNumber(milliseconds * 1e6, 3)} ns`;
  if (milliseconds < 1) return `${formatNumber(milliseconds * 1000, 3)} µs`;
  if (milliseconds < 1000) return `${formatNumber(milliseconds, 3)} ms`;
  return `${formatNumber(milliseconds / 1000, 3)} s`;
}

/** Processors, busy on average. */
export function formatCores(cores: number): string {
  if (cores === 0) return "0";
  return cores < 0.001 ? "<0.001" : formatNumber(cores, cores < 1 ? 2 : 3);
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes, in the unit in which they are short: `512 B`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  // 1023.7 of a unit would show as 1020.
  const unit = byteUnits.findIndex((_, index) => Math.abs(bytes) < 1000 * 1024 ** index);
  const power = unit < 0 ? byteUnits.length - 1 : unit;
  return `${formatNumber(bytes / 1024 ** power, 3)} ${byteUnits[power]}`;
}

/** A share of 1 as percent. What is not whole never shows as 100 % or 0 %. */
export function formatShare(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  return `${Math.min(99.99, Math.max(0.01, Number((share * 100).toPrecision(4))))} %`;
}

/** A length of time in its largest unit: `42s`, `5m`, `3h`, `12d`. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`;
  return `${Math.floor(whole / DAY)}d`;
}

/** How long ago a time of RFC 3339 was. */
export function formatAgo(time: string, now: number): string {
  return formatAge((now - Date.parse(time)) / 1000);
}

const dateTime = new Intl.DateTimeFormat("sv-SE", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** A time of RFC 3339 in the reader's zone: `2026-01-31 14:05:09`. */
export function formatTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : dateTime.format(date);
}

/** As formatTime, with milliseconds. */
export function formatTimeExact(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return `${dateTime.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** The first characters of a digest or id, enough to tell them apart. */
export function shortId(id: string): string {
  const bare = id.slice(id.indexOf(":") + 1);
  return bare.length > 14 ? bare.slice(0, 12) : bare;
}

/** `1 row`, `2 rows`. */
export function count(number: number, noun: string): string {
  return `${formatNumber(number)} ${noun}${number === 1 ? "" : "s"}`;
}
