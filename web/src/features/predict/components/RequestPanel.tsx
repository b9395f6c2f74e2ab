import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { useMemo, useState } from "react";
import { CodeEditor, type CodeMark } from "@/editor/CodeEditor";
import type { Deployment } from "@/features/deployments/queries";
import { CodeIcon, FormatIcon, SendIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { Section } from "@/ui/Section";
import { prettyJson } from "@/util/json";
import { CurlDialog } from "./CurlDialog";
import { UploadButton } from "./UploadButton";

interface Props {
  deployment: Deployment;
  body: string;
  onBody: (body: string) => void;
  predictor?: string;
  onPredictor: (predictor?: string) => void;
  onSend: () => void;
  isSending: boolean;
}

const SPLIT = "*";

/** What is sent. */
export function RequestPanel(props: Props) {
  const { deployment, body, onBody, predictor, onPredictor, onSend, isSending } = props;
  const [isExporting, setIsExporting] = useState(false);
  const marks = useMemo(() => jsonMarks(body), [body]);
  const pretty = prettyJson(body);
  return (
    <Section title="Request" note={<Mono>POST {deployment.predictPath}</Mono>} sx={{ height: "100%" }}>
      <Box sx={{ display: "flex", gap: 1, flexWrap: "wrap", mb: 1.25 }}>
        <UploadButton onText={onBody} />
        <Button
          variant="outlined"
          startIcon={<FormatIcon />}
          disabled={pretty === undefined || pretty === body}
          onClick={() => pretty && onBody(pretty)}
        >
          Format
        </Button>
        <Button variant="outlined" startIcon={<CodeIcon />} onClick={() => setIsExporting(true)}>
          curl
        </Button>
      </Box>
      <CodeEditor
        label="Request body"
        language="json"
        value={body}
        onChange={onBody}
        onSubmit={onSend}
        marks={marks}
        sx={{ flexGrow: 1, flexBasis: 0 }}
      />
      <Box
        sx={{
          display: "flex",
          gap: 1.5,
          mt: 1.75,
          justifyContent: "flex-end",
          alignItems: "center",
          flexWrap: "wrap",
        }}
      >
        <TextField
          select
          label="Predictor"
          value={predictor ?? SPLIT}
          onChange={({ target }) => onPredictor(target.value === SPLIT ? undefined : target.value)}
          sx={{ width: 220 }}
        >
          <MenuItem value={SPLIT}>By the traffic split</MenuItem>
          {deployment.predictors.map(({ name, weight }) => (
            <MenuItem key={name} value={name}>
              {name} ({weight} %)
            </MenuItem>
          ))}
        </TextField>
        <Button
          variant="contained"
          startIcon={<SendIcon />}
          onClick={onSend}
          loading={isSending}
          title="Ctrl+Enter"
          sx={{ minHeight: 36, px: 2.5 }}
        >
          Predict
        </Button>
      </Box>
      {isExporting && (
        <CurlDialog
          deployment={deployment}
          body={body}
          predictor={predictor}
          onClose={() => setIsExporting(false)}
        />
      )}
    </Section>
  );
}

/** Where the text stops being JSON, as far as the browser tells. */
function jsonMarks(text: string): CodeMark[] {
  if (text.trim() === "") return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : "This is not JSON.";
    const position = /position (\d+)/.exec(message)?.[1];
    const before = position === undefined ? text : text.slice(0, Number(position));
    return [{ line: before.split("\n").length, message, severity: "error" }];
  }
}
