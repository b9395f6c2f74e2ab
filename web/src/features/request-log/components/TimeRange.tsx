import Box from "@mui/material/Box";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { fromLocalInput, toLocalInput } from "@/util/time";
import { firstPage } from "../search";

const route = getRouteApi("/deployments/$namespace/$name/requests");

const presets = [
  { since: "", label: "Any time" },
  { since: "5m", label: "Last 5 minutes" },
  { since: "15m", label: "Last 15 minutes" },
  { since: "1h", label: "Last hour" },
  { since: "6h", label: "Last 6 hours" },
  { since: "1d", label: "Last 24 hours" },
  { since: "7d", label: "Last 7 days" },
];
const CUSTOM = "custom";

/** When the requests were made. */
export function TimeRange() {
  const { since = "", until } = route.useSearch();
  const navigate = route.useNavigate();
  const isPreset = until === undefined && presets.some((preset) => preset.since === since);
  const [isCustom, setIsCustom] = useState(!isPreset);
  const set = (range: { since?: string; until?: string }) =>
    void navigate({ search: (before) => ({ ...firstPage(before), ...range }) });
  const choose = (value: string) => {
    setIsCustom(value === CUSTOM);
    if (value === CUSTOM) set({ since: new Date(Date.now() - 3_600_000).toISOString(), until: undefined });
    else set({ since: value || undefined, until: undefined });
  };
  return (
    <Box sx={{ display: "flex", gap: 1.25, flexWrap: "wrap" }}>
      <TextField
        select
        label="Time"
        value={isCustom || !isPreset ? CUSTOM : since}
        onChange={({ target }) => choose(target.value)}
        sx={{ width: 164 }}
        slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}
      >
        {presets.map((preset) => (
          <MenuItem key={preset.since} value={preset.since}>
            {preset.label}
          </MenuItem>
        ))}
        <MenuItem value={CUSTOM}>From – to…</MenuItem>
      </TextField>
      {(isCustom || !isPreset) && (
        <>
          <Moment label="From" time={since} onTime={(time) => set({ since: time })} />
          <Moment label="To" time={until} onTime={(time) => set({ until: time })} />
        </>
      )}
    </Box>
  );
}

interface MomentProps {
  label: string;
  time?: string;
  onTime: (time?: string) => void;
}

function Moment({ label, time, onTime }: MomentProps) {
  return (
    <TextField
      key={time}
      type="datetime-local"
      label={label}
      defaultValue={toLocalInput(time)}
      onBlur={({ target }) => {
        if (target.value !== toLocalInput(time)) onTime(fromLocalInput(target.value));
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") (event.target as HTMLElement).blur();
      }}
      sx={{ width: 205 }}
      slotProps={{ inputLabel: { shrink: true }, htmlInput: { step: 1 } }}
    />
  );
}
