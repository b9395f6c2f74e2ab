/** Lays out JSON without touching its numbers and texts: `1.0` stays `1.0`. */

const TOKEN = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const LINE_MAX = 88;

/** JSON with indentation, and short lists on one line; nothing where it is not JSON. */
export function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(TOKEN) ?? [];
  return layOut(tokens.values(), "");
}

/** Reads one value and lays it out. */
function layOut(tokens: Iterator<string>, indentation: string, first = next(tokens)): string {
  if (first === "{" || first === "[") return layOutItems(tokens, indentation, first);
  return first;
}

function layOutItems(tokens: Iterator<string>, indentation: string, open: "{" | "["): string {
  const close = open === "{" ? "}" : "]";
  const inner = `${indentation}  `;
  const items: string[] = [];
  for (let token = next(tokens); token !== close; token = next(tokens)) {
    if (token === ",") continue;
    if (open === "[") {
      items.push(layOut(tokens, inner, token));
      continue;
    }
    next(tokens); // The colon.
    items.push(`${token}: ${layOut(tokens, inner)}`);
  }
  if (items.length === 0) return open + close;
  const isFlat = open === "[" && items.every((item) => !item.startsWith("[") && !item.startsWith("{"));
  const line = `${open}${items.join(", ")}${close}`;
  if (isFlat && indentation.length + line.length <= LINE_MAX) return line;
  return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indentation}${close}`;
}

function next(tokens: Iterator<string>): string {
  const { value, done } = tokens.next();
  return done ? "" : value;
}
