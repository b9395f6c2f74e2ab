import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import { getRouteApi } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useState } from "react";
import { isDone } from "../container";
import { linesWith } from "../log/buffer";
import { describeReading } from "../log/describe";
import { useLog } from "../log/useLog";
import type { Instance, LogId } from "../queries";
import { LogBar } from "./LogBar";
import { LogLines } from "./LogLines";
import { LogStatus } from "./LogStatus";
import { NoLines } from "./NoLines";

interface Props {
  id: LogId;
  instance: Instance;
  /** All that there are now. */
  instances: Instance[];
  isGone: boolean;
  isWrapped: boolean;
  onWrap: (isWrapped: boolean) => void;
}

const route = getRouteApi("/deployments/$namespace/$name/instances/$instance/log");

/** A log with what is done to it. */
export function LogView({ id, instance, instances, isGone, isWrapped, onWrap }: Props) {
  const { follow } = route.useSearch();
  const [find, setFind] = useState("");
  const container = instance.containers.find(({ name }) => name === id.container);
  const isFollowed = follow !== "off" && !id.isPrevious;
  const isFinal = isGone || (container !== undefined && isDone(container));
  const { lines, reading, again } = useLog(id, { isFollowed, isFinal });
  const wanted = useDeferredValue(find);
  const shown = useMemo(() => linesWith(lines, wanted), [lines, wanted]);
  const status = describeReading(reading, { container, isGone, isPrevious: id.isPrevious });
  return (
    <Paper
      component="section"
      aria-label={`Log of ${instance.name}`}
      variant="outlined"
      sx={{
        display: "flex",
        flexDirection: "column",
        height: "calc(100dvh - 262px)",
        minHeight: 400,
        overflow: "hidden",
      }}
    >
      <LogBar
        id={id}
        instance={instance}
        instances={instances}
        lines={shown}
        find={find}
        onFind={setFind}
        isWrapped={isWrapped}
        onWrap={onWrap}
      />
      <LogStatus status={status} lines={lines} shown={shown} isFiltered={wanted !== ""} onAgain={again} />
      <Box sx={{ position: "relative", flexGrow: 1, minHeight: 0, display: "flex" }}>
        {shown.length > 0 ? (
          <LogLines
            label={`Lines of ${id.container ?? instance.name}`}
            lines={shown}
            find={wanted}
            isWrapped={isWrapped}
          />
        ) : (
          <NoLines phase={reading.phase} isFiltered={lines.length > 0} isPrevious={id.isPrevious} />
        )}
      </Box>
    </Paper>
  );
}
