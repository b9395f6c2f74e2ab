import Box from "@mui/material/Box";
import type { ReactNode } from "react";
import { CheckCircleIcon, ClockIcon, ErrorIcon, InfoIcon, OfflineIcon } from "@/ui/icons";
import { count } from "@/util/format";
import type { DryRun } from "./useDryRun";

interface Props {
  dryRun: DryRun;
  /** What being valid leads to. */
  validText?: string;
}

/** What the server thinks of a manifest, in a line. */
export function Verdict({ dryRun, validText = "Valid: it can be created." }: Props) {
  const { state, errors, warnings, action } = dryRun;
  if (state === "idle") return line("unknown", <InfoIcon />, "Checked by the server as you type.");
  if (state === "checking") return line("unknown", <ClockIcon />, "Checking…");
  if (state === "unknown") return line("unknown", <OfflineIcon />, "It could not be checked.");
  if (state === "invalid") {
    return line("failed", <ErrorIcon />, `Not valid yet: ${count(errors.length, "thing")} to mend.`);
  }
  return (
    <>
      {line(
        "healthy",
        <CheckCircleIcon />,
        action === "configured" ? "Valid: it updates what is there." : validText,
      )}
      {warnings.length > 0 &&
        line("progressing", <InfoIcon />, `${count(warnings.length, "field")} will have no effect here.`)}
    </>
  );
}

function line(tone: "unknown" | "failed" | "healthy" | "progressing", icon: ReactNode, text: string) {
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 0.75,
        fontSize: "0.8125rem",
        color: `console.status.${tone}.main`,
        "& svg": { fontSize: 18 },
      }}
    >
      {icon}
      {text}
    </Box>
  );
}
