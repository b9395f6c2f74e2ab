import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import type { DeploymentId } from "@/features/deployments/queries";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";
import { LinkButton } from "@/ui/RouterLinks";
import { formatNumber } from "@/util/format";
import { describeContainer } from "../container";
import type { Container, Instance } from "../queries";

interface Props {
  deployment: DeploymentId;
  instance: Instance;
}

/** The containers of an instance, in the order in which they are started. */
export function ContainersTable({ deployment, instance }: Props) {
  return (
    <TableContainer sx={{ border: 1, borderColor: "divider", borderRadius: 1 }}>
      <Table size="small" aria-label={`Containers of ${instance.name}`}>
        <TableHead>
          <TableRow>
            <TableCell>Container</TableCell>
            <TableCell>State</TableCell>
            <TableCell align="right">Restarts</TableCell>
            <TableCell>Image</TableCell>
            <TableCell align="right">Logs</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {instance.containers.map((container) => (
            <ContainerRow
              key={container.name}
              deployment={deployment}
              instance={instance}
              container={container}
            />
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function ContainerRow({ deployment, instance, container }: Props & { container: Container }) {
  const { name, image, initial, restarts, reason } = container;
  return (
    <TableRow sx={{ "&:last-child > *": { borderBottom: 0 } }}>
      <TableCell component="th" scope="row">
        <Mono>{name}</Mono>
        {initial && (
          <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
            runs before the others
          </Typography>
        )}
      </TableCell>
      <TableCell sx={{ maxWidth: 320 }}>
        {describeContainer(container)}
        {reason && (
          <Box
            sx={{
              color: instance.state === "Failed" ? "console.status.failed.main" : "text.secondary",
              fontSize: "0.75rem",
              overflowWrap: "anywhere",
            }}
          >
            <Prose text={reason} />
          </Box>
        )}
      </TableCell>
      <TableCell align="right">{formatNumber(restarts)}</TableCell>
      <TableCell>
        <Mono sx={{ overflowWrap: "anywhere" }}>{image}</Mono>
      </TableCell>
      <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
        {restarts > 0 && (
          <LogLink deployment={deployment} instance={instance} container={name} which="previous" />
        )}
        <LogLink deployment={deployment} instance={instance} container={name} which="present" />
      </TableCell>
    </TableRow>
  );
}

function LogLink({
  deployment: { namespace, name },
  instance,
  container,
  which,
}: Props & { container: string; which: "present" | "previous" }) {
  const isPrevious = which === "previous";
  const label = isPrevious ? "Previous log" : "Log";
  return (
    <LinkButton
      aria-label={`${label} of ${container}`}
      to="/deployments/$namespace/$name/instances/$instance/log"
      params={{ namespace, name, instance: instance.name }}
      search={{ container, previous: isPrevious ? "on" : undefined }}
    >
      {label}
    </LinkButton>
  );
}
