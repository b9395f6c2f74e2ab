import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import Tooltip from "@mui/material/Tooltip";
import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons";

interface Props {
  /** The text, or what makes it where that takes long. */
  text: string | (() => string);
  /** What is copied, as in “Copy endpoint”. */
  what: string;
  variant?: "icon" | "button";
}

/** Copies a text and says that it did. */
export function CopyButton({ text, what, variant = "icon" }: Props) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => setIsCopied(await copyText(typeof text === "string" ? text : text()));
  const Icon = isCopied ? CheckIcon : CopyIcon;
  if (variant === "button") {
    return (
      <Button variant="outlined" startIcon={<Icon />} onClick={copy} aria-label={`Copy ${what}`}>
        {isCopied ? "Copied" : "Copy"}
      </Button>
    );
  }
  return (
    <Tooltip title={isCopied ? "Copied" : `Copy ${what}`}>
      <IconButton aria-label={`Copy ${what}`} onClick={copy}>
        <Icon sx={{ fontSize: 16 }} />
      </IconButton>
    </Tooltip>
  );
}

async function copyText(text: string): Promise<boolean> {
  // The clipboard is only there for secure origins: not for a plain address in a network.
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => copyBySelection(text),
    );
  }
  return copyBySelection(text);
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}
