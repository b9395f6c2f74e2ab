import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableRow from "@mui/material/TableRow";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { FilterAddIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { filterValue, formatValue, type LogColumn, type LogRow } from "../columns";
import { condition } from "../filter";

interface Props {
  title: string;
  columns: LogColumn[];
  row: LogRow;
  onFilter: (added: string) => void;
}

/** Values by name, each with what filters by it. */
export function ValuesTable({ title, columns, row, onFilter }: Props) {
  const present = columns.filter(({ name }) => row.values[name] !== null);
  if (present.length === 0) return null;
  return (
    <Box>
      <Typography variant="h3" gutterBottom>
        {title}
      </Typography>
      <Table size="small" aria-label={title} sx={{ "& td, & th": { px: 0 } }}>
        <TableBody>
          {present.map((column) => {
            const { name, label } = column;
            const value = row.values[name];
            const comparable = filterValue(column, value);
            const added = comparable === undefined ? undefined : condition(name, "=", comparable);
            return (
              <TableRow key={name}>
                <TableCell
                  component="th"
                  scope="row"
                  sx={{ color: "text.secondary", overflowWrap: "anywhere" }}
                >
                  {label}
                </TableCell>
                <TableCell align="right" sx={{ overflowWrap: "anywhere" }}>
                  <Mono>{formatValue(name, value, "exact")}</Mono>
                </TableCell>
                <TableCell align="right" sx={{ width: 36, py: 0.25 }}>
                  {added && (
                    <Tooltip title={`Filter by ${added}`}>
                      <IconButton aria-label={`Filter by ${added}`} onClick={() => onFilter(added)}>
                        <FilterAddIcon sx={{ fontSize: 16 }} />
                      </IconButton>
                    </Tooltip>
                  )}
                </TableCell>
              </TableRow>
            );
          })}
        </TableBody>
      </Table>
    </Box>
  );
}
