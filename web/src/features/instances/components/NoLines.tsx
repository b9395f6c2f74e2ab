import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { LogIcon, SearchIcon } from "@/ui/icons";
import { Prose } from "@/ui/Prose";
import type { Reading } from "../log/follow";

interface Props {
  reading: Reading;
  /** Whether there are lines, and the filter lets none through. */
  isFiltered: boolean;
  isPrevious: boolean;
}

/** What stands where there are no lines. */
export function NoLines({ reading, isFiltered, isPrevious }: Props) {
  if (isFiltered) {
    return (
      <Centered>
        <EmptyState title="No line has this text" icon={<SearchIcon sx={{ fontSize: 30 }} />} />
      </Centered>
    );
  }
  if (reading.phase === "opening") return null;
  const { title, text } = describe(reading, isPrevious);
  return (
    <Centered>
      <EmptyState title={title} icon={<LogIcon sx={{ fontSize: 30 }} />}>
        <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 560, overflowWrap: "anywhere" }}>
          <Prose text={text} />
        </Typography>
      </EmptyState>
    </Centered>
  );
}

function Centered({ children }: { children: ReactNode }) {
  return <Box sx={{ flexGrow: 1, minWidth: 0, display: "grid", alignContent: "center" }}>{children}</Box>;
}

function describe(reading: Reading, isPrevious: boolean): { title: string; text: string } {
  switch (reading.phase) {
    case "gone":
      return { title: "This log is gone", text: reading.reason };
    case "refused":
      if (isPrevious) return { title: "No container ran before this one", text: reading.reason };
      return { title: "No log yet", text: reading.reason };
    case "broken":
      return { title: "The log cannot be read", text: reading.reason };
    default:
      return {
        title: "No lines yet",
        text: "The container has written nothing since it was started. Lines appear here as they are written.",
      };
  }
}
