import Paper from "@mui/material/Paper";
import Typography from "@mui/material/Typography";
import { EmptyState } from "@/ui/EmptyState";
import { RequestsIcon } from "@/ui/icons";

/** What stands in place of the request log where the server has none. */
export function NoRequestLog() {
  return (
    <Paper variant="outlined">
      <EmptyState title="Requests are not kept" icon={<RequestsIcon sx={{ fontSize: 32 }} />}>
        <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 560 }}>
          The pods of this cluster answer requests and forget them: they need a bucket to log them to. Give
          one to the operator, which has the pods write to it, and the same one to the control plane, which
          reads from it. From then on each instance of each request becomes a row here.
        </Typography>
      </EmptyState>
    </Paper>
  );
}
