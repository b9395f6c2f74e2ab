import Button from "@mui/material/Button";
import { useRef } from "react";
import { UploadIcon } from "@/ui/icons";
import { useToasts } from "@/ui/Toast";

/** The server's limit for a body. */
const BYTES_MAX = 16 << 20;

/** Reads a JSON file. */
export function UploadButton({ onText }: { onText: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const { fail } = useToasts();
  const read = async (file?: File) => {
    if (!file) return;
    if (file.size > BYTES_MAX) fail(`${file.name} is larger than 16 MiB: split it into several requests.`);
    else onText(await file.text());
  };
  return (
    <>
      <Button variant="outlined" startIcon={<UploadIcon />} onClick={() => input.current?.click()}>
        Upload file
      </Button>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        aria-label="JSON file"
        hidden
        onChange={(event) => {
          void read(event.target.files?.[0]);
          // So that the same file can be chosen again.
          event.target.value = "";
        }}
      />
    </>
  );
}
