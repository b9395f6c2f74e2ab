import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import Box from "@mui/material/Box";
import { useEffect, useRef } from "react";
import { appearance } from "./appearance";
import type { DiffViewProps } from "./CodeEditor";
import { languages } from "./languages";

/** What changed between two texts. */
export function CodeMirrorDiff({ before, after, language, label }: DiffViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const view = new EditorView({
      parent: frame.current ?? undefined,
      state: EditorState.create({
        doc: after,
        extensions: [
          lineNumbers(),
          languages[language](),
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true" }),
          unifiedMergeView({
            original: before,
            mergeControls: false,
            collapseUnchanged: { margin: 3, minSize: 4 },
          }),
          appearance,
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, language, label]);
  return <Box ref={frame} sx={{ height: "100%", minHeight: 0 }} />;
}
