import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { CopyableId } from "@/ui/CopyableId";
import { ArrowRightIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";
import { Section } from "@/ui/Section";
import { StateChip } from "@/ui/StateChip";
import { SeriesMark, TrafficBar } from "@/ui/TrafficBar";
import { count } from "@/util/format";
import type { Deployment, GraphNode, Predictor } from "../queries";
import { TrafficActions } from "./TrafficActions";

const heads = ["Predictor", "State", "Traffic", "Model server", "Model URI", "Digest", "Revision"];

/** The predictors and how the traffic is split between them. */
export function PredictorsSection({ deployment }: { deployment: Deployment }) {
  const { predictors } = deployment;
  return (
    <Section
      title="Predictors"
      note={count(predictors.length, "predictor")}
      actions={<TrafficActions deployment={deployment} />}
      isFlush
    >
      <Box sx={{ px: 2, pb: 1.5 }}>
        <TrafficBar shares={predictors} height={10} />
      </Box>
      <TableContainer>
        <Table size="small" aria-label="Predictors">
          <TableHead>
            <TableRow>
              {heads.map((head) => (
                <TableCell key={head}>{head}</TableCell>
              ))}
            </TableRow>
          </TableHead>
          <TableBody>
            {predictors.map((predictor, index) => (
              <PredictorRow
                key={predictor.name}
                predictor={predictor}
                index={index}
                // Said above already, as a rule.
                reason={
                  deployment.description.includes(predictor.reason ?? "") ? undefined : predictor.reason
                }
              />
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </Section>
  );
}

interface RowProps {
  predictor: Predictor;
  index: number;
  reason?: string | null;
}

function PredictorRow({ predictor, index, reason }: RowProps) {
  const { name, state, node, implementation, modelUri, digest, revision, nodes = [] } = predictor;
  const cell = reason ? { borderBottom: 0 } : {};
  return (
    <>
      <TableRow sx={{ "&:last-child > *": { borderBottom: 0 } }}>
        <TableCell component="th" scope="row" sx={cell}>
          <Box sx={{ display: "inline-flex", alignItems: "center", gap: 1, fontWeight: 600 }}>
            <SeriesMark index={index} />
            {name}
          </Box>
        </TableCell>
        <TableCell sx={cell}>
          <StateChip state={state} reason={predictor.reason ?? undefined} />
        </TableCell>
        <TableCell sx={cell}>
          <Weight predictor={predictor} />
        </TableCell>
        <TableCell sx={cell}>
          <NodeCell name={node} runs={runs(implementation)} />
        </TableCell>
        <TableCell sx={{ ...cell, maxWidth: 420 }}>
          {modelUri ? <Mono sx={{ overflowWrap: "anywhere" }}>{modelUri}</Mono> : "–"}
        </TableCell>
        <TableCell sx={cell}>
          {digest ? <CopyableId id={digest} what={`digest of ${name}`} /> : "–"}
        </TableCell>
        <TableCell sx={cell}>
          {revision ? <CopyableId id={revision} what={`revision of ${name}`} /> : "–"}
        </TableCell>
      </TableRow>
      {nodes.map((below) => (
        <NodeRow key={below.name} node={below} />
      ))}
      {reason && (
        <TableRow sx={{ "&:last-child > *": { borderBottom: 0 } }}>
          <TableCell
            colSpan={heads.length}
            sx={{ pt: 0, color: "console.status.failed.main", whiteSpace: "pre-wrap" }}
          >
            <Prose text={reason} />
          </TableCell>
        </TableRow>
      )}
    </>
  );
}

/** A node of the graph below the first. */
function NodeRow({ node }: { node: GraphNode }) {
  const { name, depth, type, implementation, modelUri, digest } = node;
  return (
    <TableRow sx={{ "&:last-child > *": { borderBottom: 0 } }}>
      <TableCell colSpan={3} sx={{ border: 0 }} />
      <TableCell sx={{ pl: 2 + 2 * depth }}>
        <NodeCell name={name} runs={runs(implementation, type)} />
      </TableCell>
      <TableCell sx={{ maxWidth: 420 }}>
        {modelUri ? <Mono sx={{ overflowWrap: "anywhere" }}>{modelUri}</Mono> : "–"}
      </TableCell>
      <TableCell>{digest ? <CopyableId id={digest} what={`digest of ${name}`} /> : "–"}</TableCell>
      <TableCell />
    </TableRow>
  );
}

function NodeCell({ name, runs }: { name: string; runs: string }) {
  return (
    <>
      <Mono>{runs}</Mono>
      <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
        node {name}
      </Typography>
    </>
  );
}

/** What runs a node: its implementation, or the user's own program, of a type. */
function runs(implementation: string, type?: string): string {
  if (implementation !== "UNKNOWN_IMPLEMENTATION") return implementation;
  return type && type !== "UNKNOWN_TYPE" ? type : "own program";
}

/** The share of the traffic now, and the one it is on its way to; a shadow has none. */
function Weight({ predictor: { weight, desiredWeight, shadow } }: { predictor: Predictor }) {
  if (shadow) return "shadow";
  return (
    <Box
      component="span"
      sx={{
        display: "inline-flex",
        alignItems: "center",
        gap: 0.5,
        fontVariantNumeric: "tabular-nums",
        whiteSpace: "nowrap",
      }}
    >
      {weight} %
      {weight !== desiredWeight && (
        <>
          <ArrowRightIcon titleAccess="becomes" sx={{ fontSize: 14, color: "text.secondary" }} />
          {desiredWeight} %
        </>
      )}
    </Box>
  );
}
