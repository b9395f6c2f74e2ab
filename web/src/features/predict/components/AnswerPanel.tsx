import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import LinearProgress from "@mui/material/LinearProgress";
import Typography from "@mui/material/Typography";
import { useSuspenseQuery } from "@tanstack/react-query";
import { messageOf } from "@/api/problem";
import { CodeEditor } from "@/editor/CodeEditor";
import { type Deployment, statusQuery } from "@/features/deployments/queries";
import { condition } from "@/features/request-log/filter";
import { CopyableId } from "@/ui/CopyableId";
import { CopyButton } from "@/ui/CopyButton";
import { EmptyState } from "@/ui/EmptyState";
import { HttpStatus } from "@/ui/HttpStatus";
import { RequestsIcon, SendIcon } from "@/ui/icons";
import { PropertiesTable } from "@/ui/PropertiesTable";
import { LinkButton } from "@/ui/RouterLinks";
import { Section } from "@/ui/Section";
import { formatLatency } from "@/util/format";
import { prettyJson } from "@/util/json";
import { outputTable, type PredictionAnswer } from "../predict";
import { OutputsTable } from "./OutputsTable";

interface Props {
  deployment: Deployment;
  answer?: PredictionAnswer;
  error: Error | null;
  isSending: boolean;
}

/** What came back. */
export function AnswerPanel({ deployment, answer, error, isSending }: Props) {
  return (
    <Section
      title="Response"
      actions={answer && <CopyButton text={answer.body} what="response" />}
      sx={{ height: "100%", position: "relative" }}
    >
      {isSending && (
        <LinearProgress aria-label="Waiting" sx={{ position: "absolute", top: 0, left: 0, right: 0 }} />
      )}
      <Box aria-live="polite" sx={{ display: "contents" }}>
        {error && <Alert severity="error">{messageOf(error)}</Alert>}
        {!error && answer && <Answer deployment={deployment} answer={answer} />}
      </Box>
      {!error && !answer && (
        <Box sx={{ m: "auto" }}>
          <EmptyState title="No prediction yet" icon={<SendIcon sx={{ fontSize: 30 }} />}>
            <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 380 }}>
              Press Predict, or Ctrl+Enter in the editor. The answer comes here, with the id by which it is in
              the request log.
            </Typography>
          </EmptyState>
        </Box>
      )}
    </Section>
  );
}

function Answer({ deployment, answer }: { deployment: Deployment; answer: PredictionAnswer }) {
  const { status, milliseconds, body, requestId, predictor } = answer;
  const outputs = outputTable(body);
  const { data: server } = useSuspenseQuery(statusQuery);
  return (
    <>
      <Box sx={{ display: "flex", gap: 2, alignItems: "flex-start", flexWrap: "wrap", mb: 1.5 }}>
        <Box sx={{ flexGrow: 1 }}>
          <PropertiesTable
            properties={[
              { name: "Status", value: <HttpStatus status={status} /> },
              { name: "Time", value: `${formatLatency(milliseconds)}, as this browser saw it` },
              { name: "Predictor", value: predictor ?? "–" },
              {
                name: "Request id",
                value: requestId ? <CopyableId id={requestId} what="request id" form="whole" /> : "–",
              },
            ]}
          />
        </Box>
        {requestId && deployment.requestLog && server.hasRequestLog && (
          <LinkButton
            variant="outlined"
            startIcon={<RequestsIcon />}
            to="/deployments/$namespace/$name/requests"
            params={{ namespace: deployment.namespace, name: deployment.name }}
            search={{ filter: condition("request_id", "=", requestId) }}
          >
            Find in request log
          </LinkButton>
        )}
      </Box>
      {outputs && <OutputsTable {...outputs} />}
      <CodeEditor
        label="Response body"
        language="json"
        value={prettyJson(body) ?? body}
        isReadOnly
        sx={{ flexGrow: 1, flexBasis: 0, minHeight: 140, bgcolor: "console.well" }}
      />
    </>
  );
}
