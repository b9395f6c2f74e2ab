import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { bodyOfRows, irisExample } from "@/features/predict/example";
import { describeColumns, rowsOf } from "@/features/request-log/columns";
import { newestQuery } from "@/features/request-log/queries";
import { CodeBlock } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { SendIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { LinkButton } from "@/ui/RouterLinks";
import { Section } from "@/ui/Section";
import { curlCommand } from "@/util/shell";
import { type Deployment, statusQuery } from "../queries";

/** Where predictions are made, and a command that makes one. */
export function EndpointSection({ deployment }: { deployment: Deployment }) {
  const { data: status } = useSuspenseQuery(statusQuery);
  const isLogged = deployment.requestLog && status.hasRequestLog;
  const { data: page } = useQuery({ ...newestQuery(deployment), enabled: isLogged });
  const url = new URL(deployment.predictPath, window.location.origin).href;
  const path = deployment.predictPath;
  const known = page && bodyOfRows(path, describeColumns(page), rowsOf(page).slice(0, 1));
  return (
    <Section
      title="Endpoint"
      actions={
        <LinkButton
          variant="outlined"
          startIcon={<SendIcon />}
          to="/deployments/$namespace/$name/predict"
          params={{ namespace: deployment.namespace, name: deployment.name }}
        >
          Predict
        </LinkButton>
      }
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 0.5, mb: 1.25, minWidth: 0 }}>
        <Typography variant="caption" color="textSecondary" sx={{ fontWeight: 600 }}>
          POST
        </Typography>
        <Mono sx={{ overflowWrap: "anywhere" }}>{url}</Mono>
        <CopyButton text={url} what="endpoint" />
      </Box>
      <CodeBlock what="curl command" text={curlCommand({ url, body: known ?? irisExample(path) })} />
      <Typography variant="caption" color="textSecondary" sx={{ mt: 1 }}>
        {known
          ? "The body is the newest request of the log."
          : "The body is for a model of the iris data: put in the features of yours."}
      </Typography>
    </Section>
  );
}
