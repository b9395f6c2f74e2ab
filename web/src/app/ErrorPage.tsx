import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError, ConnectionError, isNotFound, messageOf } from "@/api/problem";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorIcon, OfflineIcon } from "@/ui/icons";
import { Prose } from "@/ui/Prose";
import { LinkButton } from "@/ui/RouterLinks";

/** What stands in place of a page that failed. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const { reset: resetQueries } = useQueryErrorResetBoundary();
  useEffect(() => resetQueries(), [resetQueries]);
  const tryAgain = () => {
    reset();
    void router.invalidate();
  };
  const isOffline = error instanceof ConnectionError;
  const Icon = isOffline ? OfflineIcon : ErrorIcon;
  return (
    <EmptyState
      title={titleOf(error)}
      icon={<Icon sx={{ fontSize: 36 }} />}
      actions={
        <>
          {!isNotFound(error) && (
            <Button variant="contained" onClick={tryAgain}>
              Try again
            </Button>
          )}
          <LinkButton variant="outlined" to="/deployments">
            All deployments
          </LinkButton>
        </>
      }
    >
      <title>{`${titleOf(error)} · Provost`}</title>
      <Typography variant="body2" color="textSecondary" role="alert" sx={{ maxWidth: 560 }}>
        <Prose
          text={isOffline ? "Check that `provost serve` is running, then try again." : messageOf(error)}
        />
      </Typography>
    </EmptyState>
  );
}

function titleOf(error: unknown): string {
  if (isNotFound(error)) return "Not found";
  if (error instanceof ConnectionError) return "The server cannot be reached";
  if (error instanceof ApiError) return error.problem.title;
  return "This page has a fault";
}
