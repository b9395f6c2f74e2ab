import Button from "@mui/material/Button";
import Paper from "@mui/material/Paper";
import Typography from "@mui/material/Typography";
import type { Deployment } from "@/features/deployments/queries";
import { EmptyState } from "@/ui/EmptyState";
import { RequestsIcon, SearchIcon, SendIcon } from "@/ui/icons";
import { LinkButton } from "@/ui/RouterLinks";

interface Props {
  deployment: Deployment;
  isFiltered: boolean;
  /** Whether the filter cannot be read. */
  isFilterWrong: boolean;
  /** Whether this is a page after the first. */
  isBeyondFirst: boolean;
  onClear: () => void;
}

/** What stands where there are no rows. */
export function NoRequests({ deployment, isFiltered, isFilterWrong, isBeyondFirst, onClear }: Props) {
  const { namespace, name } = deployment;
  if (isFiltered || isBeyondFirst) {
    const nothing = isBeyondFirst ? "There are no older requests" : "No request matches";
    const title = isFilterWrong ? "Mend the filter to see requests" : nothing;
    return (
      <Paper variant="outlined">
        <EmptyState
          title={title}
          icon={<SearchIcon sx={{ fontSize: 30 }} />}
          actions={
            <Button variant="outlined" onClick={onClear}>
              Show all requests
            </Button>
          }
        />
      </Paper>
    );
  }
  return (
    <Paper variant="outlined">
      <EmptyState
        title="No requests yet"
        icon={<RequestsIcon sx={{ fontSize: 32 }} />}
        actions={
          <LinkButton
            variant="contained"
            startIcon={<SendIcon />}
            to="/deployments/$namespace/$name/predict"
            params={{ namespace, name }}
          >
            Make a prediction
          </LinkButton>
        }
      >
        <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 480 }}>
          Each instance of each request to {name} becomes a row here, with its features and what was
          predicted.
        </Typography>
      </EmptyState>
    </Paper>
  );
}
