import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { messageOf } from "@/api/problem";
import type { DeploymentId } from "@/features/deployments/queries";
import { EmptyState } from "@/ui/EmptyState";
import { HistoryIcon, WarningIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";
import { Section } from "@/ui/Section";
import { count, formatAgo, formatNumber, formatTime } from "@/util/format";
import { useNow } from "@/util/useNow";
import { type ClusterEvent, eventsQuery } from "../queries";

/** What happened to a deployment and its instances, newest first. */
export function EventsSection({ deployment }: { deployment: DeploymentId }) {
  const { data, error } = useQuery(eventsQuery(deployment));
  const events = data?.items;
  return (
    <Section title="Events" note={events && events.length > 0 && noteOf(events)} isFlush>
      {error && (
        <Alert severity="warning" sx={{ mx: 2, mb: 2 }}>
          <Prose text={messageOf(error)} />
        </Alert>
      )}
      {!events && !error && <Skeleton variant="rounded" height={120} sx={{ mx: 2, mb: 2 }} />}
      {events?.length === 0 && <NoEvents />}
      {events && events.length > 0 && <EventsTable events={events} />}
    </Section>
  );
}

function noteOf(events: ClusterEvent[]): string {
  const warnings = events.filter(({ warning }) => warning).length;
  return `${count(events.length, "event")}, ${count(warnings, "warning")}, newest first`;
}

function EventsTable({ events }: { events: ClusterEvent[] }) {
  const now = useNow(1_000);
  return (
    <TableContainer>
      <Table size="small" aria-label="Events">
        <TableHead>
          <TableRow>
            <TableCell sx={{ width: 176 }}>Time</TableCell>
            <TableCell sx={{ width: 190 }}>Reason</TableCell>
            <TableCell sx={{ width: "24%" }}>Object</TableCell>
            <TableCell>Message</TableCell>
            <TableCell align="right" sx={{ width: 80 }}>
              Count
            </TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {withKeys(events).map(([key, event]) => (
            <EventRow key={key} event={event} now={now} />
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

/** Events have no names; two may say the same. */
function withKeys(events: ClusterEvent[]): [string, ClusterEvent][] {
  return events.map((event, index) => [`${event.object} ${event.reason} ${events.length - index}`, event]);
}

function EventRow({ event, now }: { event: ClusterEvent; now: number }) {
  const { time, reason, object, message, warning, count: times } = event;
  return (
    <TableRow sx={{ "&:last-child > *": { borderBottom: 0 }, "& > td": { verticalAlign: "top" } }}>
      <TableCell>
        <Box sx={{ whiteSpace: "nowrap" }}>{formatTime(time)}</Box>
        <Box sx={{ color: "text.secondary", fontSize: "0.75rem" }}>{formatAgo(time, now)} ago</Box>
      </TableCell>
      <TableCell>
        <Box
          sx={{
            display: "flex",
            gap: 0.75,
            fontWeight: 560,
            overflowWrap: "anywhere",
            color: warning ? "console.status.progressing.main" : undefined,
          }}
        >
          {warning && <WarningIcon titleAccess="Warning" sx={{ fontSize: 16, mt: 0.25 }} />}
          {reason}
        </Box>
      </TableCell>
      <TableCell>
        <Mono sx={{ overflowWrap: "anywhere" }}>{object}</Mono>
      </TableCell>
      <TableCell sx={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{message}</TableCell>
      <TableCell align="right" sx={{ fontVariantNumeric: "tabular-nums" }}>
        {formatNumber(times)}
      </TableCell>
    </TableRow>
  );
}

function NoEvents() {
  return (
    <EmptyState title="No events" icon={<HistoryIcon sx={{ fontSize: 30 }} />}>
      <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 560 }}>
        What the cluster does with the pods of this deployment is told here: that they were scheduled, that an
        image cannot be pulled, that a probe fails. Clusters forget events, most of them after an hour.
      </Typography>
    </EmptyState>
  );
}
