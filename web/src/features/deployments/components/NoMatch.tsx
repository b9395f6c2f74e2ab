import Button from "@mui/material/Button";
import { EmptyState } from "@/ui/EmptyState";
import { SearchIcon } from "@/ui/icons";

/** What stands where the filter leaves nothing. */
export function NoMatch({ onClear }: { onClear: () => void }) {
  return (
    <EmptyState
      title="No deployment matches"
      icon={<SearchIcon sx={{ fontSize: 32 }} />}
      actions={
        <Button variant="outlined" onClick={onClear}>
          Clear state and search
        </Button>
      }
    />
  );
}
