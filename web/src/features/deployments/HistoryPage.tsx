import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Section } from "@/ui/Section";
import { count } from "@/util/format";
import { useNow } from "@/util/useNow";
import { ChangeRow } from "./components/ChangeRow";
import { deploymentQuery, historyQuery } from "./queries";

const route = getRouteApi("/deployments/$namespace/$name/history");

/** Who changed what, when and why. */
export function HistoryPage() {
  const params = route.useParams();
  const { data: deployment } = useSuspenseQuery(deploymentQuery(params));
  const { data: history } = useSuspenseQuery(historyQuery(params));
  const now = useNow();
  return (
    <Section title="History" note={`${count(history.items.length, "change")}, newest first`} isFlush>
      <TableContainer>
        <Table size="small" aria-label="History">
          <TableHead>
            <TableRow>
              <TableCell sx={{ width: 110 }}>Generation</TableCell>
              <TableCell sx={{ width: 190 }}>When</TableCell>
              <TableCell sx={{ width: 160 }}>Who</TableCell>
              <TableCell>Why</TableCell>
              <TableCell align="right">Actions</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {history.items.map((change, index) => (
              <ChangeRow
                key={`${change.generation} ${change.time}`}
                deployment={deployment}
                change={change}
                before={history.items[index + 1]}
                now={now}
              />
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </Section>
  );
}
