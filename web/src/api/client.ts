import createClient, { type Middleware } from "openapi-fetch";
import { reportConnection } from "./connection";
import type { components, paths } from "./generated/schema";
import { ApiError, ConnectionError, toProblem } from "./problem";

export type Schemas = components["schemas"];

const connection: Middleware = {
  onResponse({ response }) {
    reportConnection("up");
    // The server shows its own page where a token is needed.
    if (response.status === 401) window.location.reload();
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    reportConnection("down");
    return new ConnectionError(error);
  },
};

export const client = createClient<paths>({ baseUrl: window.location.origin });
client.use(connection);

/** The data of an answer, or its problem as an error. */
export async function unwrap<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await answer;
  if (data !== undefined) return data;
  throw new ApiError(toProblem(error, response));
}

/** Waits for an answer without a body, or throws its problem. */
export async function confirm(answer: Promise<{ error?: unknown; response: Response }>): Promise<void> {
  const { error, response } = await answer;
  if (!response.ok) throw new ApiError(toProblem(error, response));
}
