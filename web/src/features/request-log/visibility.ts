/** Which columns are shown: as at first, but for those that the URL names. */
import { isShownAtFirst } from "./columns";
import type { RequestSearch } from "./search";

type Visibility = Pick<RequestSearch, "show" | "hide">;

export function isVisible(name: string, { show = [], hide = [] }: Visibility): boolean {
  return isShownAtFirst(name) ? !hide.includes(name) : show.includes(name);
}

/** Shows a column that is hidden, hides one that is shown. */
export function toggleColumn<T extends Visibility>(name: string, search: T): T {
  const key = isShownAtFirst(name) ? "hide" : "show";
  const names = search[key] ?? [];
  const next = names.includes(name) ? names.filter((one) => one !== name) : [...names, name];
  return { ...search, [key]: next.length > 0 ? next : undefined };
}
