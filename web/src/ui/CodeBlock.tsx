import Box from "@mui/material/Box";
import { monospace } from "@/theme/tokens";
import { CopyButton } from "./CopyButton";

interface Props {
  text: string;
  /** What it is, as in “Copy command”. */
  what: string;
}

/** A short text to copy. */
export function CodeBlock({ text, what }: Props) {
  return (
    <Box
      sx={{
        position: "relative",
        borderRadius: 1,
        border: 1,
        borderColor: "divider",
        bgcolor: "console.well",
        textAlign: "left",
        minWidth: 0,
      }}
    >
      <Box
        component="pre"
        // Scrolls sideways, so it must be reachable.
        tabIndex={0}
        role="region"
        aria-label={what}
        sx={{
          m: 0,
          p: 1.5,
          pr: 5,
          overflowX: "auto",
          fontFamily: monospace,
          fontSize: "0.75rem",
          lineHeight: 1.6,
        }}
      >
        {text}
      </Box>
      <Box sx={{ position: "absolute", top: 4, right: 4 }}>
        <CopyButton text={text} what={what} />
      </Box>
    </Box>
  );
}
