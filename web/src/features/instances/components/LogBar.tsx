import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import InputAdornment from "@mui/material/InputAdornment";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import Tooltip from "@mui/material/Tooltip";
import { CopyButton } from "@/ui/CopyButton";
import { DownloadIcon, FilterIcon, WrapIcon } from "@/ui/icons";
import { saveText } from "@/util/save";
import { type LogLine, rawOf } from "../log/lines";
import type { Instance, LogId } from "../queries";
import { ContainerField, InstanceField, PauseButton, PreviousSwitch } from "./LogChoice";

interface Props {
  id: LogId;
  instance: Instance;
  /** All that there are now. */
  instances: Instance[];
  /** Those that are shown: what is copied and saved. */
  lines: readonly LogLine[];
  find: string;
  onFind: (text: string) => void;
  isWrapped: boolean;
  onWrap: (isWrapped: boolean) => void;
}

/** Which log is shown, and how. */
export function LogBar({ id, instance, instances, lines, find, onFind, isWrapped, onWrap }: Props) {
  const text = () => lines.map((line) => `${rawOf(line)}\n`).join("");
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1.25, flexWrap: "wrap", px: 2, py: 1.5 }}>
      <InstanceField id={id} instances={instances} />
      <ContainerField id={id} instance={instance} />
      <PreviousSwitch id={id} instance={instance} />
      <TextField
        type="search"
        label="Filter"
        placeholder="Lines with this text"
        value={find}
        onChange={({ target }) => onFind(target.value)}
        sx={{ flex: "1 1 180px", width: "auto" }}
        slotProps={{
          inputLabel: { shrink: true },
          input: {
            startAdornment: (
              <InputAdornment position="start">
                <FilterIcon sx={{ fontSize: 16 }} />
              </InputAdornment>
            ),
          },
        }}
      />
      <PauseButton isPrevious={id.isPrevious} />
      <Tooltip title="Wrap long lines">
        <ToggleButton
          value="wrap"
          aria-label="Wrap long lines"
          selected={isWrapped}
          onChange={() => onWrap(!isWrapped)}
          sx={{ px: 1 }}
        >
          <WrapIcon sx={{ fontSize: 18 }} />
        </ToggleButton>
      </Tooltip>
      <CopyButton text={text} what="lines" />
      <Tooltip title="Download lines">
        <IconButton aria-label="Download lines" onClick={() => saveText(text(), fileName(id))}>
          <DownloadIcon sx={{ fontSize: 17 }} />
        </IconButton>
      </Tooltip>
    </Box>
  );
}

function fileName({ instance, container, isPrevious }: LogId): string {
  return `${[instance, container, isPrevious && "previous"].filter(Boolean).join("-")}.log`;
}
