import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import TableCell from "@mui/material/TableCell";
import TableRow from "@mui/material/TableRow";
import { useId, useState } from "react";
import type { DeploymentId } from "@/features/deployments/queries";
import { CopyButton } from "@/ui/CopyButton";
import { ChevronDownIcon, ChevronRightIcon, LogIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";
import { LinkButton } from "@/ui/RouterLinks";
import { StateChip } from "@/ui/StateChip";
import { SeriesMark } from "@/ui/TrafficBar";
import { formatAgo, formatNumber, formatTime } from "@/util/format";
import { tellingContainer } from "../container";
import type { Instance } from "../queries";
import { ContainersTable } from "./ContainersTable";

interface Props {
  deployment: DeploymentId;
  instance: Instance;
  /** Place of its predictor; -1 where it is not known. */
  index: number;
  now: number;
}

/** Number of columns. */
const COLUMNS = 7;
const lastRow = { "&:last-child > *": { borderBottom: 0 } };

/** One instance; why it does not serve, and its containers when asked. */
export function InstanceRow({ deployment, instance, index, now }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const containersId = useId();
  const { name, predictor, state, reason, node, restarts, created } = instance;
  const cell = reason || isOpen ? { borderBottom: 0 } : {};
  return (
    <>
      <TableRow sx={lastRow}>
        <TableCell component="th" scope="row" sx={{ ...cell, pl: 1 }}>
          <Box sx={{ display: "flex", alignItems: "center", gap: 0.5 }}>
            <IconButton
              aria-label={`Containers of ${name}`}
              aria-expanded={isOpen}
              aria-controls={isOpen ? containersId : undefined}
              onClick={() => setIsOpen(!isOpen)}
            >
              {isOpen ? (
                <ChevronDownIcon sx={{ fontSize: 16 }} />
              ) : (
                <ChevronRightIcon sx={{ fontSize: 16 }} />
              )}
            </IconButton>
            <Mono sx={{ overflowWrap: "anywhere" }}>{name}</Mono>
            <CopyButton text={name} what={`name of ${name}`} />
          </Box>
        </TableCell>
        <TableCell sx={cell}>
          <Box sx={{ display: "inline-flex", alignItems: "center", gap: 1 }}>
            {index >= 0 && <SeriesMark index={index} />}
            {predictor ?? "–"}
          </Box>
        </TableCell>
        <TableCell sx={cell}>
          <StateChip state={state} />
        </TableCell>
        <TableCell align="right" sx={{ ...cell, fontVariantNumeric: "tabular-nums" }}>
          {formatNumber(restarts)}
        </TableCell>
        <TableCell sx={cell}>{node ? <Mono sx={{ overflowWrap: "anywhere" }}>{node}</Mono> : "–"}</TableCell>
        <TableCell
          align="right"
          title={formatTime(created)}
          sx={{ ...cell, whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}
        >
          {formatAgo(created, now)}
        </TableCell>
        <TableCell align="right" sx={cell}>
          <LinkButton
            aria-label={`Log of ${name}`}
            startIcon={<LogIcon />}
            to="/deployments/$namespace/$name/instances/$instance/log"
            params={{ namespace: deployment.namespace, name: deployment.name, instance: name }}
            search={{ container: tellingContainer(instance) }}
          >
            Log
          </LinkButton>
        </TableCell>
      </TableRow>
      {reason && (
        <TableRow sx={lastRow}>
          <TableCell
            colSpan={COLUMNS}
            sx={{
              ...(isOpen && { borderBottom: 0 }),
              pt: 0,
              pl: 6,
              color: state === "Failed" ? "console.status.failed.main" : "text.secondary",
              whiteSpace: "pre-wrap",
              overflowWrap: "anywhere",
            }}
          >
            <Prose text={reason} />
          </TableCell>
        </TableRow>
      )}
      {isOpen && (
        <TableRow id={containersId} sx={lastRow}>
          <TableCell colSpan={COLUMNS} sx={{ pt: 0, pb: 2, pl: 6 }}>
            <ContainersTable deployment={deployment} instance={instance} />
          </TableCell>
        </TableRow>
      )}
    </>
  );
}
