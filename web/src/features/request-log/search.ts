/** What the request log's page keeps in the URL. */
import * as z from "zod/mini";

export const PAGE_SIZES = [25, 50, 100, 200] as const;
export const PAGE_SIZE = 50;

/** Most pages that can be gone back, newest first; the first page is always a click away. */
const BACK_MAX = 30;

const text = z.catch(z.optional(z.string()), undefined);
const names = z.catch(
  z.optional(
    z.union([
      z.array(z.string()),
      z.pipe(
        z.string(),
        z.transform((one: string) => [one]),
      ),
    ]),
  ),
  undefined,
);
const number = z.catch(z.optional(z.coerce.number()), undefined);

export const requestSearch = z.object({
  /** Rows since then: a time, or a length back from now. */
  since: text,
  /** Rows before then. */
  until: text,
  filter: text,
  /** Rows a page. */
  limit: number,
  /** Where this page begins. */
  cursor: text,
  /** Where the pages before began, the latest last; the first page is empty. */
  back: names,
  /** Columns that are shown or hidden other than at first. */
  show: names,
  hide: names,
  /** `on` while the newest rows come in by themselves. */
  live: z.catch(z.optional(z.literal("on")), undefined),
  /** The row whose details are open, as `<request id>:<row>`. */
  row: text,
});

export type RequestSearch = z.infer<typeof requestSearch>;

/** The page after this one. */
export function nextPage(search: RequestSearch, cursor: string): RequestSearch {
  const back = [...(search.back ?? []), search.cursor ?? ""].slice(-BACK_MAX);
  return { ...search, cursor, back, row: undefined, live: undefined };
}

/** The page before this one. */
export function previousPage(search: RequestSearch): RequestSearch {
  const back = search.back ?? [];
  return {
    ...search,
    cursor: back.at(-1) || undefined,
    back: back.length > 1 ? back.slice(0, -1) : undefined,
    row: undefined,
  };
}

/** The first page. */
export function firstPage(search: RequestSearch): RequestSearch {
  return { ...search, cursor: undefined, back: undefined, row: undefined };
}
