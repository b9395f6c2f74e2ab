import Box from "@mui/material/Box";
import { shortId } from "@/util/format";
import { CopyButton } from "./CopyButton";
import { Mono } from "./Mono";

interface Props {
  id: string;
  /** What it is, as in “Copy digest”. */
  what: string;
  form?: "short" | "whole";
}

/** An id, shortened unless there is room, with a button that copies all of it. */
export function CopyableId({ id, what, form = "short" }: Props) {
  return (
    <Box
      component="span"
      sx={{ display: "inline-flex", alignItems: "center", gap: 0.25, minWidth: 0, "& button": { my: -0.75 } }}
    >
      <Mono title={id} sx={form === "short" ? { whiteSpace: "nowrap" } : { overflowWrap: "anywhere" }}>
        {form === "short" ? shortId(id) : id}
      </Mono>
      <CopyButton text={id} what={what} />
    </Box>
  );
}
