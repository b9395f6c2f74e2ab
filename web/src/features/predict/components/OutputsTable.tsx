import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { count, formatNumber } from "@/util/format";
import type { OutputTable } from "../predict";

/** Most rows that are shown; the body below has all. */
const ROWS_MAX = 50;

/** The predictions, a row for each instance, with the greatest of each marked. */
export function OutputsTable({ names, rows }: OutputTable) {
  const shown = rows.slice(0, ROWS_MAX);
  return (
    <TableContainer
      sx={{ border: 1, borderColor: "divider", borderRadius: 1, mb: 1.5, flexShrink: 0, maxHeight: 200 }}
      tabIndex={0}
      role="region"
      aria-label="Predictions"
    >
      <Table size="small" stickyHeader>
        <TableHead>
          <TableRow>
            <TableCell>Instance</TableCell>
            {names.map((name) => (
              <TableCell key={name} align="right">
                {name}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {shown.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity.
            <TableRow key={index} sx={{ "&:last-child > *": { borderBottom: 0 } }}>
              <TableCell component="th" scope="row">
                {index}
              </TableCell>
              {names.map((name, column) => (
                <TableCell key={name} align="right" sx={{ fontVariantNumeric: "tabular-nums" }}>
                  <Output value={row[column]} isGreatest={names.length > 1 && isGreatest(row, column)} />
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
      {rows.length > ROWS_MAX && (
        <Box sx={{ px: 1.5, py: 0.75, fontSize: "0.75rem", color: "text.secondary" }}>
          and {count(rows.length - ROWS_MAX, "instance")} more
        </Box>
      )}
    </TableContainer>
  );
}

function Output({ value, isGreatest }: { value: unknown; isGreatest: boolean }) {
  const text = typeof value === "number" ? formatNumber(value, 6) : String(value ?? "–");
  return isGreatest ? <strong>{text}</strong> : text;
}

function isGreatest(row: unknown[], column: number): boolean {
  const numbers = row.filter((value) => typeof value === "number");
  return numbers.length === row.length && row[column] === Math.max(...numbers);
}
