/** Making a prediction, as any client would. */
import { reportConnection } from "@/api/connection";
import { ConnectionError } from "@/api/problem";

export interface PredictionRequest {
  path: string;
  body: string;
  /** The predictor that is to answer. */
  predictor?: string;
}

export interface PredictionAnswer {
  status: number;
  isOk: boolean;
  /** From sending to the whole answer, as this browser saw it. */
  milliseconds: number;
  body: string;
  /** The request's id in the log. */
  requestId?: string;
  /** Who answered. */
  predictor?: string;
}

export async function predict({ path, body, predictor }: PredictionRequest): Promise<PredictionAnswer> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (predictor) headers["provost-predictor"] = predictor;
  const start = performance.now();
  try {
    const response = await fetch(path, { method: "POST", headers, body });
    const text = await response.text();
    const milliseconds = performance.now() - start;
    reportConnection("up");
    return {
      status: response.status,
      isOk: response.ok,
      milliseconds,
      body: text,
      requestId: response.headers.get("seldon-puid") ?? undefined,
      predictor: response.headers.get("provost-predictor") ?? undefined,
    };
  } catch (error) {
    reportConnection("down");
    throw new ConnectionError(error);
  }
}

export interface OutputTable {
  names: string[];
  rows: unknown[][];
}

/** The predictions of an answer as a table; nothing where they have another form. */
export function outputTable(body: string): OutputTable | undefined {
  let answer: Answer;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  const data = answer?.data;
  const values = valuesOf(answer);
  if (!values || values.length === 0) return undefined;
  const rows: unknown[][] = values.map((row) => (Array.isArray(row) ? row : [row]));
  const width = Math.max(...rows.map((row) => row.length));
  const given = Array.isArray(data?.names) ? data.names.map(String) : [];
  const names = Array.from(
    { length: width },
    (_, index) => given[index] ?? (width === 1 ? "prediction" : String(index)),
  );
  const isRepeated = (name: string, index: number) => names.indexOf(name) !== index;
  return { names: names.map((name, index) => (isRepeated(name, index) ? `${name} (${index})` : name)), rows };
}

/** What an answer may hold, in each protocol. */
interface Answer {
  data?: { names?: unknown; ndarray?: unknown; tensor?: { shape?: unknown; values?: unknown } };
  predictions?: unknown;
  outputs?: { shape?: unknown; data?: unknown }[];
}

/** The rows of an answer. */
function valuesOf(answer: Answer | null): unknown[] | undefined {
  if (Array.isArray(answer?.predictions)) return answer.predictions;
  const output = Array.isArray(answer?.outputs) ? answer.outputs[0] : undefined;
  if (output) return unfold({ shape: output.shape, values: output.data });
  return Array.isArray(answer?.data?.ndarray) ? answer.data.ndarray : unfold(answer?.data?.tensor);
}

/** The rows of a tensor. */
function unfold(tensor?: { shape?: unknown; values?: unknown }): unknown[] | undefined {
  if (!Array.isArray(tensor?.values) || !Array.isArray(tensor.shape)) return undefined;
  const { values, shape } = tensor;
  if (shape.length === 1) return values;
  const [rows, width] = shape.map(Number);
  if (shape.length !== 2 || rows === undefined || width === undefined) return undefined;
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}
