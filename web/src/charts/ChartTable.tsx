import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { formatTime } from "@/util/format";
import type { ChartData } from "./panel";

interface Props {
  data: ChartData;
  label: string;
  format: (value: number) => string;
  height: number;
}

/** Most rows that are shown. */
const ROWS_MAX = 240;

/** The same as the chart, as numbers, newest first. */
export function ChartTable({ data, label, format, height }: Props) {
  const { time, groups, kinds } = data;
  const lines = groups.flatMap((group) =>
    kinds.map((kind, index) => ({
      name: kinds.length > 1 ? `${group.label} ${kind.label}` : group.label,
      values: group.values[index] ?? [],
    })),
  );
  const rows = time
    .map((seconds, index) => ({ seconds, index }))
    .slice(-ROWS_MAX)
    .reverse();
  return (
    <TableContainer sx={{ height }} tabIndex={0} role="region" aria-label={`${label} as a table`}>
      <Table size="small" stickyHeader>
        <TableHead>
          <TableRow>
            <TableCell>Time</TableCell>
            {lines.map(({ name }) => (
              <TableCell key={name} align="right">
                {name}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map(({ seconds, index }) => (
            <TableRow key={seconds}>
              <TableCell sx={{ whiteSpace: "nowrap" }}>
                {formatTime(new Date(seconds * 1000).toISOString())}
              </TableCell>
              {lines.map(({ name, values }) => {
                const value = values[index];
                return (
                  <TableCell key={name} align="right">
                    {typeof value === "number" ? format(value) : "–"}
                  </TableCell>
                );
              })}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}
