/** Editing code. The editor is loaded when the first one is shown. */
import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import type { SxProps } from "@mui/material/styles";
import { lazy, Suspense } from "react";
import type { Language } from "./languages";

/** A line that something is to be said about. */
export interface CodeMark {
  /** Counted from 1. */
  line: number;
  message: string;
  severity: "error" | "warning";
}

export interface CodeEditorProps {
  value: string;
  language: Language;
  /** Accessible name. */
  label: string;
  onChange?: (value: string) => void;
  /** Called on Ctrl+Enter or Cmd+Enter. */
  onSubmit?: () => void;
  isReadOnly?: boolean;
  marks?: CodeMark[];
}

export interface DiffViewProps {
  before: string;
  after: string;
  language: Language;
  /** Accessible name. */
  label: string;
}

const Editor = lazy(async () => ({ default: (await import("./CodeMirrorEditor")).CodeMirrorEditor }));
const Diff = lazy(async () => ({ default: (await import("./CodeMirrorDiff")).CodeMirrorDiff }));

const frame: SxProps = {
  border: 1,
  borderColor: "divider",
  borderRadius: 1,
  overflow: "hidden",
  minHeight: 0,
  bgcolor: "background.paper",
  "&:focus-within": { borderColor: "primary.main", outline: "1px solid", outlineColor: "primary.main" },
};

const placeholder = <Skeleton variant="rectangular" height="100%" />;

export function CodeEditor({ sx, ...props }: CodeEditorProps & { sx?: SxProps }) {
  return (
    <Box sx={{ ...frame, ...sx } as SxProps}>
      <Suspense fallback={placeholder}>
        <Editor {...props} />
      </Suspense>
    </Box>
  );
}

export function DiffView({ sx, ...props }: DiffViewProps & { sx?: SxProps }) {
  return (
    <Box sx={{ ...frame, ...sx } as SxProps}>
      <Suspense fallback={placeholder}>
        <Diff {...props} />
      </Suspense>
    </Box>
  );
}
