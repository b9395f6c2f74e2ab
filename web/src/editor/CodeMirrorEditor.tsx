import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import Box from "@mui/material/Box";
import { useEffect, useRef } from "react";
import { appearance } from "./appearance";
import type { CodeEditorProps, CodeMark } from "./CodeEditor";
import { languages } from "./languages";

/** The editor itself. Tab leaves it, as it leaves every other field. */
export function CodeMirrorEditor(props: CodeEditorProps) {
  const { value, marks, isReadOnly } = props;
  const frame = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(undefined);
  const editable = useRef(new Compartment());
  // What the editor calls back is the latest, though it is made once.
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const { value, language, label } = latest.current;
    const view = new EditorView({
      parent: frame.current ?? undefined,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(),
          lintGutter(),
          history(),
          bracketMatching(),
          indentOnInput(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          languages[language](),
          keymap.of([{ key: "Mod-Enter", run: () => submit(latest.current) }]),
          keymap.of([...searchKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorState.tabSize.of(2),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
          editable.current.of(editing(latest.current)),
          appearance,
        ],
      }),
    });
    editor.current = view;
    return () => view.destroy();
  }, []);

  useEffect(() => {
    const view = editor.current;
    if (!view || view.state.doc.toString() === value) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    editor.current?.dispatch({ effects: editable.current.reconfigure(editing({ isReadOnly })) });
  }, [isReadOnly]);

  useEffect(() => {
    const view = editor.current;
    if (view)
      view.dispatch(
        setDiagnostics(
          view.state,
          (marks ?? []).map((mark) => diagnostic(view.state, mark)),
        ),
      );
  }, [marks]);

  return <Box ref={frame} sx={{ height: "100%", minHeight: 0 }} />;
}

function editing({ isReadOnly }: Pick<CodeEditorProps, "isReadOnly">) {
  // What cannot be changed still takes the focus, to be scrolled and copied.
  return isReadOnly
    ? [
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ "aria-readonly": "true", tabindex: "0" }),
      ]
    : [];
}

function submit({ onSubmit }: CodeEditorProps): boolean {
  onSubmit?.();
  return onSubmit !== undefined;
}

function diagnostic(state: EditorState, { line, message, severity }: CodeMark): Diagnostic {
  const { from, to, text } = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  const indentation = text.length - text.trimStart().length;
  return { from: Math.min(from + indentation, to), to, severity, message };
}
