/** How code looks: by CSS variables, so that it follows the theme by itself. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { monospace } from "@/theme/tokens";

const color = (name: string) => `var(--mui-palette-console-code-${name})`;

const frame = EditorView.theme({
  "&": { fontSize: "0.78rem", height: "100%", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: monospace, lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { paddingBlock: "10px", caretColor: "var(--mui-palette-text-primary)" },
  ".cm-line": { paddingInline: "10px" },
  ".cm-cursor": { borderLeftColor: "var(--mui-palette-text-primary)" },
  ".cm-gutters": {
    backgroundColor: "transparent",
    border: "none",
    color: color("comment"),
  },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-lineNumbers .cm-gutterElement": { paddingInline: "10px 4px", minWidth: "28px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--mui-palette-console-well)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: `${color("selection")} !important`,
  },
  ".cm-matchingBracket": { backgroundColor: "transparent !important" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: `${color("selection")} !important` },
  ".cm-tooltip": {
    backgroundColor: "var(--mui-palette-background-paper)",
    border: "1px solid var(--mui-palette-divider)",
    borderRadius: "8px",
    overflow: "hidden",
    maxWidth: "min(560px, 80vw)",
  },
  ".cm-diagnostic": { padding: "6px 10px", borderLeft: "3px solid", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--mui-palette-error-main)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--mui-palette-warning-main)" },
  ".cm-panels": {
    backgroundColor: "var(--mui-palette-console-well)",
    color: "var(--mui-palette-text-primary)",
    borderColor: "var(--mui-palette-divider)",
  },
  ".cm-panels input, .cm-panels button": { fontSize: "0.75rem" },
  ".cm-changedLine": { backgroundColor: `${color("added")} !important` },
  ".cm-deletedChunk": { backgroundColor: `${color("removed")} !important`, paddingInline: "10px" },
  ".cm-changedText, .cm-deletedText": { background: "none !important", fontWeight: "600" },
  ".cm-collapsedLines": {
    background: "var(--mui-palette-console-well)",
    color: "var(--mui-palette-text-secondary)",
  },
  ".cm-changeGutter": { width: "3px", paddingLeft: "0" },
});

const words = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.attributeName], color: color("name") },
  { tag: [tags.string, tags.content], color: color("text") },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: color("number") },
  { tag: [tags.keyword, tags.typeName, tags.labelName], color: color("keyword") },
  { tag: [tags.comment, tags.meta], color: color("comment") },
]);

export const appearance = [frame, syntaxHighlighting(words)];
