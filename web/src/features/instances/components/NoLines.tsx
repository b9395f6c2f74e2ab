import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { LogIcon, SearchIcon } from "@/ui/icons";
import type { Reading } from "../log/follow";

interface Props {
  phase: Reading["phase"];
  /** Whether there are lines, and the filter lets none through. */
  isFiltered: boolean;
  isPrevious: boolean;
}

/** What stands where there are no lines. */
export function NoLines({ phase, isFiltered, isPrevious }: Props) {
  if (isFiltered) {
    return (
      <Centered>
        <EmptyState title="No line has this text" icon={<SearchIcon sx={{ fontSize: 30 }} />} />
      </Centered>
    );
  }
  if (phase === "opening") return null;
  const { title, text } = teach(phase, isPrevious);
  return (
    <Centered>
      <EmptyState title={title} icon={<LogIcon sx={{ fontSize: 30 }} />}>
        <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 560 }}>
          {text}
        </Typography>
      </EmptyState>
    </Centered>
  );
}

function Centered({ children }: { children: ReactNode }) {
  return <Box sx={{ flexGrow: 1, minWidth: 0, display: "grid", alignContent: "center" }}>{children}</Box>;
}

function teach(phase: Props["phase"], isPrevious: boolean): { title: string; text: string } {
  if (isPrevious && phase !== "broken") {
    const text =
      "A container that was started again leaves the log of the one before it, until its instance goes.";
    return { title: phase === "refused" ? "No previous log" : "No lines", text };
  }
  switch (phase) {
    case "gone":
      return { title: "This log is gone", text: "A log goes with its instance." };
    case "refused":
      return {
        title: "No log yet",
        text: "A container has a log once it was started; those before it come first. It is asked for again every few seconds.",
      };
    case "broken":
      return { title: "The log cannot be read", text: "It is asked for again every few seconds." };
    default:
      return { title: "No lines yet", text: "What the container writes appears here." };
  }
}
