/** Bodies of prediction requests. */
import type { LogColumn, LogRow } from "@/features/request-log/columns";

/** An example where nothing is known of the model: two flowers of the iris data, in the protocol of the path. */
export function irisExample(path: string): string {
  return body(
    path,
    ["Sepal length", "Sepal width", "Petal length", "Petal Width"],
    [
      [6.8, 2.8, 4.8, 1.4],
      [6.1, 3.4, 4.5, 1.6],
    ],
  );
}

/** A request to the path with the features of rows of the log; nothing where they have none. */
export function bodyOfRows(path: string, columns: LogColumn[], rows: LogRow[]): string | undefined {
  const features = featuresOf(columns, rows);
  if (features.length === 0) return undefined;
  return body(
    path,
    features.map((feature) => feature.label),
    rows.map((row) => features.map((feature) => row.values[feature.name] ?? null)),
  );
}

/**
 * The features that the rows have. The log's columns are those of all requests; those of one request
 * stand together, so that a feature between others is one of them though its value is missing.
 */
function featuresOf(columns: LogColumn[], rows: LogRow[]): LogColumn[] {
  const features = columns.filter((column) => column.group === "feature");
  const hasValue = ({ name }: LogColumn) => rows.some(({ values }) => (values[name] ?? null) !== null);
  const first = features.findIndex(hasValue);
  return first < 0 ? [] : features.slice(first, features.findLastIndex(hasValue) + 1);
}

/** A request in the form of the path's protocol, with one instance a line. */
function body(path: string, names: string[], instances: unknown[][]): string {
  const lines = instances.map((instance) => `      ${spaced(instance)}`).join(",\n");
  if (path.includes("/v1/models/")) return `{\n  "instances": [\n${lines}\n  ]\n}`;
  if (path.includes("/v2/models/")) {
    const shape = spaced([instances.length, names.length]);
    const head = `{ "name": "input-0", "datatype": "FP64", "shape": ${shape}, "data": [`;
    return `{\n  "inputs": [\n    ${head}\n${lines}\n    ] }\n  ]\n}`;
  }
  return `{\n  "data": {\n    "names": ${spaced(names)},\n    "ndarray": [\n${lines}\n    ]\n  }\n}`;
}

function spaced(values: unknown[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
}
