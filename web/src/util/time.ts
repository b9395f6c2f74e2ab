/** Between times of RFC 3339 and the fields of a browser, which know no zones. */

/** The reader's local time for a field of type `datetime-local`; empty where it is no time. */
export function toLocalInput(time?: string): string {
  const date = new Date(time ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** The time that such a field says; nothing where it is empty. */
export function fromLocalInput(text: string): string | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace(".000Z", "Z");
}
