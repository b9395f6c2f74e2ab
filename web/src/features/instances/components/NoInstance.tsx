import Paper from "@mui/material/Paper";
import Typography from "@mui/material/Typography";
import type { DeploymentId } from "@/features/deployments/queries";
import { EmptyState } from "@/ui/EmptyState";
import { InstancesIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { LinkButton } from "@/ui/RouterLinks";

interface Props {
  deployment: DeploymentId;
  instance: string;
}

/** What stands in place of the log of an instance that is gone. */
export function NoInstance({ deployment: { namespace, name }, instance }: Props) {
  return (
    <Paper variant="outlined">
      <EmptyState
        title="This instance is gone"
        icon={<InstancesIcon sx={{ fontSize: 32 }} />}
        actions={
          <LinkButton
            variant="contained"
            to="/deployments/$namespace/$name/instances"
            params={{ namespace, name }}
          >
            Instances of {name}
          </LinkButton>
        }
      >
        <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 560 }}>
          There is no <Mono>{instance}</Mono>: a new revision or the autoscaler took its place, or it was
          deleted. Its log went with it.
        </Typography>
      </EmptyState>
    </Paper>
  );
}
