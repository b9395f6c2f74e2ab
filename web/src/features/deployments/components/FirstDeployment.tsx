import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { CodeBlock } from "@/ui/CodeBlock";
import { EmptyState } from "@/ui/EmptyState";
import { AddIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { LinkButton } from "@/ui/RouterLinks";
import { CANARY, MAIN, NODE } from "../manifest/build";

const manifest = (namespace: string) => `apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: iris
  namespace: ${namespace}
spec:
  predictors:
  - name: ${MAIN}
    graph:
      name: ${NODE}
      implementation: SKLEARN_SERVER
      modelUri: /models/iris
`;

/** What stands where there are no deployments yet. */
export function FirstDeployment({ namespace = "default" }: { namespace?: string }) {
  return (
    <EmptyState
      title={namespace === "default" ? "Deploy your first model" : `Nothing is deployed in ${namespace}`}
    >
      <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 600 }}>
        A deployment serves a model from its files. Say where they are, and it answers predictions, logs each
        of them and shows its traffic here. A second predictor, say <Mono>{CANARY}</Mono>, can take a share of
        the traffic.
      </Typography>
      <LinkButton
        variant="contained"
        size="medium"
        startIcon={<AddIcon />}
        to="/create"
        search={{ namespace }}
      >
        Create deployment
      </LinkButton>
      <Box sx={{ width: "100%", maxWidth: 600, display: "grid", gap: 1, mt: 2 }}>
        <Typography variant="body2" color="textSecondary">
          Or write the manifest yourself, as <Mono>iris.yaml</Mono>, and apply it:
        </Typography>
        <CodeBlock what="manifest" text={manifest(namespace)} />
        <CodeBlock what="command" text="provost apply -f iris.yaml" />
      </Box>
    </EmptyState>
  );
}
