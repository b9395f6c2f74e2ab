import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { memo, useLayoutEffect, useRef, useState } from "react";
import { monospace } from "@/theme/tokens";
import { ArrowDownIcon } from "@/ui/icons";
import { formatTimeExact } from "@/util/format";
import { intoBlocks } from "../log/buffer";
import { type LogLine, shownText } from "../log/lines";

interface Props {
  label: string;
  lines: readonly LogLine[];
  /** A text that is marked in the lines. */
  find: string;
  isWrapped: boolean;
}

/** How near to its end a log must be scrolled to be kept there, in pixels. */
const NEAR = 24;

/** The lines; the last one stays in sight until the reader scrolls up. */
export function LogLines({ label, lines, find, isWrapped }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const toEnd = () => {
    const element = frame.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: they change how high the lines are.
  useLayoutEffect(() => {
    if (isAtEnd) toEnd();
  }, [isAtEnd, lines, isWrapped]);
  const watch = () => {
    const element = frame.current;
    if (!element) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR;
    // Lines that turn out higher than was thought move the end away: that is not the reader's doing.
    if (isNear) setIsAtEnd(true);
    else if (scrollTop < lastTop.current) setIsAtEnd(false);
    lastTop.current = scrollTop;
  };
  return (
    <>
      <Box
        ref={frame}
        role="log"
        aria-label={label}
        // Read out on demand only: a log may write faster than anyone speaks.
        aria-live="off"
        tabIndex={0}
        onScroll={watch}
        sx={{
          flexGrow: 1,
          minWidth: 0,
          overflow: "auto",
          py: 0.75,
          fontFamily: monospace,
          fontSize: "0.75rem",
          lineHeight: "20px",
          overflowAnchor: isAtEnd ? "none" : "auto",
          whiteSpace: isWrapped ? "pre-wrap" : "pre",
          overflowWrap: isWrapped ? "anywhere" : "normal",
          "&:focus-visible": { outline: "2px solid", outlineColor: "primary.main", outlineOffset: -2 },
          "& > div": { width: isWrapped ? "auto" : "max-content", minWidth: "100%" },
          "& > div > div": { display: "flex", gap: "12px", px: 2 },
          "& > div > div:hover": { bgcolor: "action.hover" },
          "& time": { color: "text.secondary", flexShrink: 0, whiteSpace: "pre" },
          "& mark": { bgcolor: "console.status.progressing.soft", color: "inherit", fontWeight: 700 },
        }}
      >
        {intoBlocks(lines).map((block) => (
          <Block key={block.number} lines={block.lines} find={find} />
        ))}
      </Box>
      {!isAtEnd && (
        <Button
          variant="contained"
          startIcon={<ArrowDownIcon />}
          onClick={() => {
            setIsAtEnd(true);
            frame.current?.focus();
          }}
          sx={{ position: "absolute", right: 24, bottom: 20 }}
        >
          Jump to latest
        </Button>
      )}
    </>
  );
}

interface BlockProps {
  lines: readonly LogLine[];
  find: string;
}

/** Lines that are drawn together, and anew only when one is added or dropped: there are thousands. */
const Block = memo(function Block({ lines, find }: BlockProps) {
  return (
    <div>
      {lines.map(({ id, time, text }) => (
        <div key={id}>
          {time && (
            <time dateTime={time} title={time}>
              {formatTimeExact(time)}
            </time>
          )}
          <span>{marked(shownText(text), find)}</span>
        </div>
      ))}
    </div>
  );
}, isSameBlock);

function isSameBlock(before: BlockProps, after: BlockProps): boolean {
  const { lines, find } = after;
  return find === before.find && lines.length === before.lines.length && lines[0]?.id === before.lines[0]?.id;
}

/** The text with what is searched for in it marked. */
function marked(text: string, find: string) {
  if (find === "") return text;
  const lower = text.toLowerCase();
  const wanted = find.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}
