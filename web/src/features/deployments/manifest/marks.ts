/** Where in the text of a manifest errors and warnings belong. */
import { LineCounter, parseDocument } from "yaml";
import type { FieldError } from "@/api/problem";
import type { CodeMark } from "@/editor/CodeEditor";
import { sentence } from "@/util/sentence";
import type { Warning } from "../queries";

/** A mark for each error and warning, at the line it names or at that of its path. */
export function marksOf(text: string, errors: FieldError[], warnings: Warning[] = []): CodeMark[] {
  const lineOf = createLineFinder(text);
  return [
    ...errors.map((error): CodeMark => {
      const line = error.line ?? lineOf(error.path ?? "");
      return { line, message: labelled(error.path, error.message), severity: "error" };
    }),
    ...warnings.map((warning): CodeMark => {
      const { path, message } = warning;
      return { line: lineOf(path), message: labelled(path, message), severity: "warning" };
    }),
  ];
}

function labelled(path: string | null | undefined, message: string): string {
  return path ? `${path}\n${sentence(message)}` : sentence(message);
}

/** Keys and indexes of a path: `spec.predictors[0].annotations[seldon.io/x]`. */
export function pathSegments(path: string): (string | number)[] {
  const segments: (string | number)[] = [];
  for (const [, name, inBrackets] of path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (inBrackets === undefined) segments.push(name ?? "");
    else segments.push(/^\d+$/.test(inBrackets) ? Number(inBrackets) : inBrackets);
  }
  return segments;
}

/** Finds the line of a path, or of the nearest thing around it that is there. */
function createLineFinder(text: string): (path: string) => number {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return (path) => {
    const segments = pathSegments(path);
    for (let length = segments.length; length > 0; length--) {
      const offset = offsetOf(document, segments.slice(0, length));
      if (offset !== undefined) return lines.linePos(offset).line;
    }
    return 1;
  };
}

function offsetOf(
  document: ReturnType<typeof parseDocument>,
  segments: (string | number)[],
): number | undefined {
  const last = segments.at(-1);
  const parent = segments.length > 1 ? document.getIn(segments.slice(0, -1), true) : document.contents;
  if (typeof parent !== "object" || parent === null || !("items" in parent) || !Array.isArray(parent.items)) {
    return undefined;
  }
  for (const [index, item] of parent.items.entries()) {
    const key = typeof last === "number" ? item : item?.key;
    const isFound = typeof last === "number" ? index === last : key?.value === last;
    if (isFound && Array.isArray(key?.range)) return Number(key.range[0]);
  }
  return undefined;
}
