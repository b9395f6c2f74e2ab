import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import InputAdornment from "@mui/material/InputAdornment";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import Tooltip from "@mui/material/Tooltip";
import { getRouteApi } from "@tanstack/react-router";
import { CopyButton } from "@/ui/CopyButton";
import { DownloadIcon, FilterIcon, HistoryIcon, PauseIcon, PlayIcon, WrapIcon } from "@/ui/icons";
import { saveText } from "@/util/save";
import { type LogLine, rawOf } from "../log/lines";
import type { Instance, LogId } from "../queries";

interface Props {
  id: LogId;
  instance: Instance;
  /** Those that are shown: what is copied and saved. */
  lines: readonly LogLine[];
  find: string;
  onFind: (text: string) => void;
  isWrapped: boolean;
  onWrap: (isWrapped: boolean) => void;
}

/** Which log is shown, and how. */
export function LogBar({ id, instance, lines, find, onFind, isWrapped, onWrap }: Props) {
  const text = () => lines.map((line) => `${rawOf(line)}\n`).join("");
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1.25, flexWrap: "wrap", px: 2, py: 1.5 }}>
      <ContainerField id={id} instance={instance} />
      <PreviousSwitch id={id} instance={instance} />
      <TextField
        type="search"
        label="Filter"
        placeholder="Lines with this text"
        value={find}
        onChange={({ target }) => onFind(target.value)}
        sx={{ flex: "1 1 200px", width: "auto" }}
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

const route = getRouteApi("/deployments/$namespace/$name/instances/$instance/log");

function ContainerField({ id, instance }: Pick<Props, "id" | "instance">) {
  const navigate = route.useNavigate();
  const names = instance.containers.map(({ name }) => name);
  const isKnown = id.container !== undefined && names.includes(id.container);
  return (
    <TextField
      select
      label="Container"
      value={id.container ?? ""}
      onChange={({ target }) =>
        void navigate({ search: ({ follow }) => ({ follow, container: target.value }), replace: true })
      }
      sx={{ width: 220 }}
    >
      {!isKnown && <MenuItem value={id.container ?? ""}>{id.container ?? "The one that serves"}</MenuItem>}
      {instance.containers.map(({ name, initial }) => (
        <MenuItem key={name} value={name}>
          {name}
          {initial && " (runs first)"}
        </MenuItem>
      ))}
    </TextField>
  );
}

function PreviousSwitch({ id, instance }: Pick<Props, "id" | "instance">) {
  const navigate = route.useNavigate();
  const container = instance.containers.find(({ name }) => name === id.container);
  const hasNone = container?.restarts === 0 && !id.isPrevious;
  const title = hasNone
    ? "This container was never started again: none ran before it"
    : "What the container wrote before it was last started again";
  return (
    <Tooltip title={title}>
      <span>
        <ToggleButton
          value="previous"
          selected={id.isPrevious}
          disabled={hasNone}
          onChange={() =>
            void navigate({
              search: (before) => ({
                ...before,
                container: id.container,
                previous: id.isPrevious ? undefined : "on",
              }),
              replace: true,
            })
          }
          sx={{ gap: 0.75 }}
        >
          <HistoryIcon sx={{ fontSize: 16 }} />
          Previous
        </ToggleButton>
      </span>
    </Tooltip>
  );
}

function PauseButton({ isPrevious }: { isPrevious: boolean }) {
  const { follow } = route.useSearch();
  const navigate = route.useNavigate();
  const isPaused = follow === "off";
  return (
    <Button
      variant="outlined"
      disabled={isPrevious}
      startIcon={isPaused ? <PlayIcon /> : <PauseIcon />}
      onClick={() =>
        void navigate({
          search: (before) => ({ ...before, follow: isPaused ? undefined : "off" }),
          replace: true,
        })
      }
      sx={{ width: 104 }}
    >
      {isPaused ? "Resume" : "Pause"}
    </Button>
  );
}
