import Typography from "@mui/material/Typography";
import { useLocation } from "@tanstack/react-router";
import { EmptyState } from "@/ui/EmptyState";
import { SearchIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { LinkButton } from "@/ui/RouterLinks";

/** What stands where there is no page. */
export function NotFoundPage() {
  const path = useLocation({ select: (location) => location.pathname });
  return (
    <EmptyState
      title="There is no such page"
      icon={<SearchIcon sx={{ fontSize: 36 }} />}
      actions={
        <LinkButton variant="contained" to="/deployments">
          All deployments
        </LinkButton>
      }
    >
      <title>Not found · Provost</title>
      <Typography variant="body2" color="textSecondary">
        Nothing is at <Mono>{path}</Mono>.
      </Typography>
    </EmptyState>
  );
}
