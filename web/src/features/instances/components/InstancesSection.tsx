import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import type { Deployment } from "@/features/deployments/queries";
import { EmptyState } from "@/ui/EmptyState";
import { InstancesIcon } from "@/ui/icons";
import { Section } from "@/ui/Section";
import { useNow } from "@/util/useNow";
import type { Instance } from "../queries";
import { InstanceRow } from "./InstanceRow";

interface Props {
  deployment: Deployment;
  instances: Instance[];
}

/** The instances of a deployment, live. */
export function InstancesSection({ deployment, instances }: Props) {
  const now = useNow(1_000);
  const predictors = deployment.predictors.map(({ name }) => name);
  const ready = instances.filter(({ state }) => state === "Ready").length;
  return (
    <Section title="Instances" note={instances.length > 0 && `${ready} of ${instances.length} ready`} isFlush>
      {instances.length === 0 && <NoInstances name={deployment.name} />}
      {instances.length > 0 && (
        <TableContainer>
          <Table size="small" aria-label="Instances">
            <TableHead>
              <TableRow>
                <TableCell>Instance</TableCell>
                <TableCell>Predictor</TableCell>
                <TableCell>State</TableCell>
                <TableCell align="right">Restarts</TableCell>
                <TableCell>Node</TableCell>
                <TableCell align="right">Age</TableCell>
                <TableCell align="right">Actions</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {instances.map((instance) => (
                <InstanceRow
                  key={instance.name}
                  deployment={deployment}
                  instance={instance}
                  index={predictors.indexOf(instance.predictor ?? "")}
                  now={now}
                />
              ))}
            </TableBody>
          </Table>
        </TableContainer>
      )}
    </Section>
  );
}

function NoInstances({ name }: { name: string }) {
  return (
    <EmptyState title="No instances" icon={<InstancesIcon sx={{ fontSize: 32 }} />}>
      <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 560 }}>
        Each predictor of {name} runs in as many pods as its <code>replicas</code> or its autoscaler ask for,
        and none of them is there now. The events below tell why, where the cluster refused them.
      </Typography>
    </EmptyState>
  );
}
