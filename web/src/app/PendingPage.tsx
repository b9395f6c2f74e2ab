import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";

/** What stands while a page is on its way. */
export function PendingPage() {
  return (
    <Stack spacing={2} role="status" aria-label="Loading">
      <Skeleton width={260} height={34} />
      <Skeleton variant="rounded" height={120} />
      <Skeleton variant="rounded" height={280} />
    </Stack>
  );
}
