import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Switch from "@mui/material/Switch";
import { useMemo, useState } from "react";
import type { FieldError } from "@/api/problem";
import { CodeEditor } from "@/editor/CodeEditor";
import { CopyButton } from "@/ui/CopyButton";
import { Prose } from "@/ui/Prose";
import { Section } from "@/ui/Section";
import { marksOf } from "../manifest/marks";
import type { DryRun } from "./useDryRun";
import { Verdict } from "./Verdict";

interface Props {
  text: string;
  onEdit: (text: string) => void;
  onSubmit: () => void;
  dryRun: DryRun;
  /** What is wrong and belongs to no field that shows. */
  unplaced: FieldError[];
}

/** The manifest as it is built, and what the server thinks of it. */
export function ManifestPanel({ text, onEdit, onSubmit, dryRun, unplaced }: Props) {
  const [isEditable, setIsEditable] = useState(false);
  const marks = useMemo(
    () => marksOf(text, dryRun.errors, dryRun.warnings),
    [text, dryRun.errors, dryRun.warnings],
  );
  return (
    <Section
      title="Manifest"
      actions={
        <>
          <FormControlLabel
            control={
              <Switch size="small" checked={isEditable} onChange={(_event, isOn) => setIsEditable(isOn)} />
            }
            label="Edit"
            slotProps={{ typography: { variant: "body2" } }}
          />
          <CopyButton text={text} what="manifest" />
        </>
      }
      sx={{ flexGrow: 1, minHeight: 0 }}
    >
      <CodeEditor
        label="Manifest"
        language="yaml"
        value={text}
        onChange={onEdit}
        onSubmit={onSubmit}
        isReadOnly={!isEditable}
        marks={marks}
        sx={{ flexGrow: 1, flexBasis: 320, bgcolor: isEditable ? "background.paper" : "console.well" }}
      />
      <Box sx={{ mt: 1.5, display: "grid", gap: 1 }} aria-live="polite">
        <Verdict dryRun={dryRun} />
        {unplaced.map((error) => (
          <Alert key={`${error.path} ${error.message}`} severity="error">
            {error.path && <strong>{error.path}: </strong>}
            <Prose text={error.message} />
          </Alert>
        ))}
      </Box>
    </Section>
  );
}
