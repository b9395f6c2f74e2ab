import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import TableCell from "@mui/material/TableCell";
import TableRow from "@mui/material/TableRow";
import { useState } from "react";
import { DiffView } from "@/editor/CodeEditor";
import { LinkButton } from "@/ui/RouterLinks";
import { formatAgo, formatTime } from "@/util/format";
import type { Change, Deployment } from "../queries";
import { rollback } from "../rollout";
import { ChangeDialog } from "./ChangeDialog";

interface Props {
  deployment: Deployment;
  change: Change;
  /** The change before it. */
  before?: Change;
  now: number;
}

/** One change, with what it changed when asked. */
export function ChangeRow({ deployment, change, before, now }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const [isRollingBack, setIsRollingBack] = useState(false);
  const { generation, time, author, message, manifestYaml } = change;
  const isPresent = generation === deployment.generation;
  return (
    <>
      <TableRow
        sx={{ "&:last-child > *": { borderBottom: 0 }, ...(isOpen && { "& > *": { borderBottom: 0 } }) }}
      >
        <TableCell component="th" scope="row" sx={{ fontWeight: 600, fontVariantNumeric: "tabular-nums" }}>
          {generation}
          {isPresent && (
            <Box component="span" sx={{ ml: 1, fontWeight: 500, color: "console.status.healthy.main" }}>
              now
            </Box>
          )}
        </TableCell>
        <TableCell>
          <Box sx={{ whiteSpace: "nowrap" }}>{formatTime(time)}</Box>
          <Box sx={{ color: "text.secondary", fontSize: "0.75rem" }}>{formatAgo(time, now)} ago</Box>
        </TableCell>
        <TableCell>{author}</TableCell>
        <TableCell sx={{ color: message ? undefined : "text.secondary", overflowWrap: "anywhere" }}>
          {message ?? actionOf(change, before)}
        </TableCell>
        <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
          {manifestYaml && (
            <Button
              aria-expanded={isOpen}
              aria-label={`${isOpen ? "Hide" : "Show"} changes of generation ${generation}`}
              onClick={() => setIsOpen(!isOpen)}
            >
              {isOpen ? "Hide changes" : "Show changes"}
            </Button>
          )}
          {manifestYaml && !isPresent && (
            <>
              <LinkButton
                aria-label={`Edit generation ${generation}`}
                to="/deployments/$namespace/$name/manifest"
                params={{ namespace: deployment.namespace, name: deployment.name }}
                search={{ generation }}
              >
                Edit…
              </LinkButton>
              <Button
                aria-label={`Roll back to generation ${generation}`}
                onClick={() => setIsRollingBack(true)}
              >
                Roll back…
              </Button>
            </>
          )}
          {isRollingBack && (
            <ChangeDialog
              deployment={deployment}
              title={`Roll back to generation ${generation}`}
              change={rollback(generation)}
              placeholder={`rollback to generation ${generation}`}
              onClose={() => setIsRollingBack(false)}
            />
          )}
        </TableCell>
      </TableRow>
      {isOpen && manifestYaml && (
        <TableRow sx={{ "&:last-child > *": { borderBottom: 0 } }}>
          <TableCell colSpan={5} sx={{ pt: 0, pb: 2 }}>
            <DiffView
              label={`Changes of generation ${generation}`}
              language="yaml"
              before={before?.manifestYaml ?? ""}
              after={manifestYaml}
            />
          </TableCell>
        </TableRow>
      )}
    </>
  );
}

function actionOf(change: Change, before?: Change): string {
  if (!change.manifestYaml) return "deleted";
  return before?.manifestYaml ? "updated" : "created";
}
