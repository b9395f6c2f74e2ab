/** Commands to paste into a shell. */

/** A text as one word of a POSIX shell. */
export function quoteWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What a prediction request is made of. */
export interface CurlRequest {
  url: string;
  body: string;
  /** The predictor that is to answer; without it, the traffic split decides. */
  predictor?: string;
}

/** The request as a `curl` command. */
export function curlCommand({ url, body, predictor }: CurlRequest): string {
  const lines = [`curl -sS ${quoteWord(url)}`, "-H 'Content-Type: application/json'"];
  if (predictor) lines.push(`-H ${quoteWord(`provost-predictor: ${predictor}`)}`);
  lines.push(`-d ${quoteWord(compactJson(body))}`);
  return lines.join(" \\\n  ");
}

/** JSON without blanks, where it is JSON. */
function compactJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
