import IconButton from "@mui/material/IconButton";
import InputAdornment from "@mui/material/InputAdornment";
import TextField from "@mui/material/TextField";
import Tooltip from "@mui/material/Tooltip";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { monospace } from "@/theme/tokens";
import { CloseIcon, FilterIcon } from "@/ui/icons";
import { Prose } from "@/ui/Prose";
import type { LogColumn } from "../columns";
import { quoteColumn } from "../filter";
import { firstPage } from "../search";
import { FilterHelp } from "./FilterHelp";

interface Props {
  columns: LogColumn[];
  /** What is wrong with the filter in force. */
  error?: string;
}

const route = getRouteApi("/deployments/$namespace/$name/requests");

/** Conditions on values, in the grammar of the log. Enter puts them in force. */
export function FilterField({ columns, error }: Props) {
  const { filter = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const isPending = text.trim() !== filter;
  const apply = (next: string) => {
    setText(next);
    void navigate({ search: (before) => ({ ...firstPage(before), filter: next.trim() || undefined }) });
  };
  const insert = (column: string) => {
    const name = quoteColumn(column);
    if (name) setText((before) => (before.trim() ? `${before.trim()} AND ${name} ` : `${name} `));
  };
  return (
    <TextField
      label="Filter"
      placeholder={`status = 200 AND "x.Sepal length" > 5`}
      value={text}
      onChange={({ target }) => setText(target.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") apply(text);
        if (event.key === "Escape") setText(filter);
      }}
      error={error !== undefined && !isPending}
      helperText={isPending ? "Press Enter to filter." : error && <Prose text={error} />}
      sx={{ flex: "1 1 320px", minWidth: 260 }}
      slotProps={{
        inputLabel: { shrink: true },
        htmlInput: { spellCheck: false, autoComplete: "off", autoCapitalize: "none" },
        formHelperText: { role: error && !isPending ? "alert" : undefined },
        input: {
          sx: { fontFamily: monospace, "& input": { fontSize: "0.78rem" }, pr: 0.5 },
          startAdornment: (
            <InputAdornment position="start">
              <FilterIcon sx={{ fontSize: 17 }} />
            </InputAdornment>
          ),
          endAdornment: (
            <InputAdornment position="end">
              {text !== "" && (
                <Tooltip title="Clear the filter">
                  <IconButton aria-label="Clear the filter" onClick={() => apply("")}>
                    <CloseIcon sx={{ fontSize: 16 }} />
                  </IconButton>
                </Tooltip>
              )}
              <FilterHelp columns={columns} onInsert={insert} />
            </InputAdornment>
          ),
        },
      }}
    />
  );
}
