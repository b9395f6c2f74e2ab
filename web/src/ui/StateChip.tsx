import Box from "@mui/material/Box";
import { keyframes } from "@mui/material/styles";
import Tooltip from "@mui/material/Tooltip";
import type { Schemas } from "@/api/client";
import { CheckIcon, ClockIcon, CloseIcon, StopIcon } from "./icons";

type State = Schemas["DeploymentState"] | Schemas["InstanceState"];

const look = {
  Available: { color: "healthy", Icon: CheckIcon },
  Creating: { color: "progressing", Icon: ClockIcon },
  Failed: { color: "failed", Icon: CloseIcon },
  Pending: { color: "unknown", Icon: ClockIcon },
  Starting: { color: "progressing", Icon: ClockIcon },
  Ready: { color: "healthy", Icon: CheckIcon },
  Stopping: { color: "unknown", Icon: StopIcon },
} as const;

const pulse = keyframes({ "50%": { opacity: 0.35 } });

interface Props {
  state: State;
  /** Why, shown on hover and focus. */
  reason?: string;
  size?: "small" | "medium";
}

/** A state as a word with a mark, in its colour. */
export function StateChip({ state, reason, size = "small" }: Props) {
  const { color, Icon } = look[state];
  const chip = (
    <Box
      component="span"
      // A reason is reachable from the keyboard too.
      tabIndex={reason ? 0 : undefined}
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.5,
        height: size === "small" ? 22 : 26,
        pl: 0.75,
        pr: 1,
        borderRadius: 99,
        fontSize: size === "small" ? "0.75rem" : "0.8125rem",
        fontWeight: 560,
        lineHeight: 1,
        color: `console.status.${color}.main`,
        bgcolor: `console.status.${color}.soft`,
        whiteSpace: "nowrap",
        "&:focus-visible": { outline: "2px solid", outlineOffset: 2 },
      }}
    >
      <Icon
        sx={{
          fontSize: 14,
          strokeWidth: 2.6,
          animation: color === "progressing" ? `${pulse} 1.6s ease-in-out infinite` : undefined,
        }}
      />
      {state}
    </Box>
  );
  return reason ? <Tooltip title={reason}>{chip}</Tooltip> : chip;
}
