import type { components } from "./generated/schema";

export type Problem = components["schemas"]["Problem"];
export type FieldError = components["schemas"]["FieldError"];

/** The server answered that it does not do what was asked. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ApiError";
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  get errors(): FieldError[] {
    return this.problem.errors ?? [];
  }
}

/** The server could not be reached. */
export class ConnectionError extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "ConnectionError";
  }
}

/** The problem in an answer's body; one made from the status where the body is something else. */
export function toProblem(body: unknown, response: Pick<Response, "status" | "statusText">): Problem {
  if (isProblem(body)) return body;
  const title = response.statusText || `Status ${response.status}`;
  const detail = typeof body === "string" && body.trim() !== "" ? body.trim().slice(0, 500) : title;
  return { type: "about:blank", title, status: response.status, code: "unknown", detail, errors: [] };
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === "object" &&
    body !== null &&
    "status" in body &&
    typeof body.status === "number" &&
    "detail" in body &&
    typeof body.detail === "string"
  );
}

/** One sentence for a person. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return String(error);
}

/** Whether the error is the server's word that there is no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
