import InputAdornment from "@mui/material/InputAdornment";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { SearchIcon } from "@/ui/icons";
import { useDebounced } from "@/util/useDebounced";
import { namespacesQuery, type State } from "../queries";

const route = getRouteApi("/deployments");
const ALL = "*";
const states: State[] = ["Available", "Creating", "Failed"];

/** Namespace, state and search; all of it in the URL. */
export function DeploymentsFilter() {
  const { namespace, state } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: namespaces } = useSuspenseQuery(namespacesQuery);
  const names = namespaces.items.map((item) => item.name);
  // A namespace from the URL that has no deployments yet can be chosen too.
  const choices = namespace && !names.includes(namespace) ? [...names, namespace] : names;
  return (
    <Stack direction="row" spacing={1.5} sx={{ mb: 2, flexWrap: "wrap", rowGap: 1.5 }}>
      <TextField
        select
        label="Namespace"
        value={namespace ?? ALL}
        onChange={({ target }) =>
          void navigate({
            search: (before) => ({
              ...before,
              namespace: target.value === ALL ? undefined : target.value,
              cursor: undefined,
            }),
          })
        }
        sx={{ width: 220 }}
      >
        <MenuItem value={ALL}>All namespaces</MenuItem>
        {choices.map((name) => (
          <MenuItem key={name} value={name}>
            {name}
          </MenuItem>
        ))}
      </TextField>
      <SearchField />
      <ToggleButtonGroup
        exclusive
        aria-label="State"
        value={state ?? ALL}
        onChange={(_event, value: State | typeof ALL | null) =>
          void navigate({
            search: (before) => ({
              ...before,
              state: value === ALL || value === null ? undefined : value,
              cursor: undefined,
            }),
          })
        }
      >
        <ToggleButton value={ALL}>All</ToggleButton>
        {states.map((one) => (
          <ToggleButton key={one} value={one}>
            {one}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </Stack>
  );
}

function SearchField() {
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(search);
  const settled = useDebounced(text, 200);
  useEffect(() => {
    void navigate({
      search: (before) => ({ ...before, search: settled.trim() || undefined, cursor: undefined }),
      replace: true,
    });
  }, [settled, navigate]);
  // Going back, or clearing the filters, changes the URL first.
  useEffect(() => setText(search), [search]);
  return (
    <TextField
      type="search"
      label="Search"
      placeholder="Name or namespace"
      value={text}
      onChange={({ target }) => setText(target.value)}
      sx={{ width: 280 }}
      slotProps={{
        inputLabel: { shrink: true },
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <SearchIcon sx={{ fontSize: 18 }} />
            </InputAdornment>
          ),
        },
      }}
    />
  );
}
