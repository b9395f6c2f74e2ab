/** Which log is read, and whether it is read on: kept in the URL. */
import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { getRouteApi } from "@tanstack/react-router";
import { HistoryIcon, PauseIcon, PlayIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { tellingContainer } from "../container";
import type { Instance, LogId } from "../queries";

const route = getRouteApi("/deployments/$namespace/$name/instances/$instance/log");

interface Props {
  id: LogId;
  instance: Instance;
}

/** Names are shown as they are, without the ligatures of text. */
const shownName = (name: unknown) => <Mono title={String(name)}>{String(name)}</Mono>;

function Note({ text }: { text: string }) {
  return (
    <Typography variant="caption" color="textSecondary" sx={{ ml: 1 }}>
      {text}
    </Typography>
  );
}

/** Goes to the log of another instance, of the same container where it has one. */
export function InstanceField({ id, instances }: { id: LogId; instances: Instance[] }) {
  const navigate = route.useNavigate();
  const choose = (chosen: string) => {
    const instance = instances.find(({ name }) => name === chosen);
    const isThere = instance?.containers.some(({ name }) => name === id.container);
    const container = isThere ? id.container : instance && tellingContainer(instance);
    void navigate({
      params: (before) => ({ ...before, instance: chosen }),
      search: ({ follow }) => ({ follow, container }),
    });
  };
  return (
    <TextField
      select
      label="Instance"
      value={id.instance}
      onChange={({ target }) => choose(target.value)}
      sx={{ width: 372 }}
      slotProps={{ select: { renderValue: shownName } }}
    >
      {instances.every(({ name }) => name !== id.instance) && (
        <MenuItem value={id.instance}>
          <Mono>{id.instance}</Mono>
          <Note text="gone" />
        </MenuItem>
      )}
      {instances.map(({ name, state }) => (
        <MenuItem key={name} value={name}>
          <Mono>{name}</Mono>
          {state !== "Ready" && <Note text={state} />}
        </MenuItem>
      ))}
    </TextField>
  );
}

/** Chooses one of the containers. */
export function ContainerField({ id, instance }: Props) {
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
      sx={{ width: 200 }}
      slotProps={{ select: { renderValue: shownName } }}
    >
      {!isKnown && (
        <MenuItem value={id.container ?? ""}>
          <Mono>{id.container}</Mono>
        </MenuItem>
      )}
      {instance.containers.map(({ name, initial }) => (
        <MenuItem key={name} value={name}>
          <Mono>{name}</Mono>
          {initial && <Note text="runs first" />}
        </MenuItem>
      ))}
    </TextField>
  );
}

/** Goes to the log of the container that ran before, and back. */
export function PreviousSwitch({ id, instance }: Props) {
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

/** Stops the lines that come in, and goes on after the last of them. */
export function PauseButton({ isPrevious }: { isPrevious: boolean }) {
  const { follow } = route.useSearch();
  const navigate = route.useNavigate();
  const isPaused = follow === "off";
  const title = isPrevious
    ? "This log has ended: nothing new comes in"
    : isPaused
      ? "Show new lines as they come"
      : "Stop new lines; none is lost";
  return (
    <Tooltip title={title}>
      <span>
        <Button
          variant="outlined"
          disabled={isPrevious}
          startIcon={isPaused ? <PlayIcon /> : <PauseIcon />}
          onClick={() =>
            void navigate({
              search: (before) => ({ ...before, follow: isPaused ? undefined : "off" }),
              replace: true,
              resetScroll: false,
            })
          }
          sx={{ width: 104 }}
        >
          {isPaused ? "Resume" : "Pause"}
        </Button>
      </span>
    </Tooltip>
  );
}
