/** Which columns are shown: as at first, but for those that the URL names. */
import type { LogColumn } from "./columns";
import type { RequestSearch } from "./search";

type Column = Pick<LogColumn, "name" | "isShownAtFirst">;
type Visibility = Pick<RequestSearch, "show" | "hide">;

export function isVisible({ name, isShownAtFirst }: Column, { show = [], hide = [] }: Visibility): boolean {
  return isShownAtFirst ? !hide.includes(name) : show.includes(name);
}

/** Shows a column that is hidden, hides one that is shown. */
export function toggleColumn<T extends Visibility>(column: Column, search: T): T {
  const { name } = column;
  const without = (names?: string[]) => {
    const others = names?.filter((one) => one !== name) ?? [];
    return others.length > 0 ? others : undefined;
  };
  const next = { ...search, show: without(search.show), hide: without(search.hide) };
  const isShown = !isVisible(column, search);
  if (isShown === column.isShownAtFirst) return next;
  const key = isShown ? "show" : "hide";
  return { ...next, [key]: [...(next[key] ?? []), name] };
}
