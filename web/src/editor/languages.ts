import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { EditorView } from "@codemirror/view";

export type Language = "yaml" | "json";

/** YAML lives by its indentation; long lines of JSON are better wrapped. */
export const languages = { yaml, json: () => [json(), EditorView.lineWrapping] };
