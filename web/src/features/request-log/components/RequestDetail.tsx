import Box from "@mui/material/Box";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { getRouteApi } from "@tanstack/react-router";
import type { Deployment } from "@/features/deployments/queries";
import { CopyableId } from "@/ui/CopyableId";
import { HttpStatus } from "@/ui/HttpStatus";
import { PropertiesTable, type Property } from "@/ui/PropertiesTable";
import { formatValue, type LogColumn, type LogRow } from "../columns";
import { FeedbackForm } from "./FeedbackForm";
import { ValuesTable } from "./ValuesTable";

interface Props {
  deployment: Deployment;
  row: LogRow;
  /** All rows of the request. */
  siblings: LogRow[];
  columns: LogColumn[];
  onFilter: (added: string) => void;
}

const route = getRouteApi("/deployments/$namespace/$name/requests");

/** One instance of a request: where it came from, its features, what was predicted. */
export function RequestDetail({ deployment, row, siblings, columns, onFilter }: Props) {
  const navigate = route.useNavigate();
  const of = (group: LogColumn["group"]) => columns.filter((column) => column.group === group);
  const properties = of("request")
    .filter(({ name }) => name !== "row" && row.values[name] !== null)
    .map((column) => property(column, row.values[column.name]));
  return (
    <Box sx={{ p: 2.5, display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>
      <PropertiesTable properties={properties} />
      {siblings.length > 1 && (
        <Box>
          <Typography variant="h3" gutterBottom>
            Instance {row.row} of {siblings.length}
          </Typography>
          <ToggleButtonGroup
            exclusive
            aria-label="Instance"
            value={row.id}
            onChange={(_event, id: string | null) =>
              id && void navigate({ search: (before) => ({ ...before, row: id }), replace: true })
            }
            sx={{ flexWrap: "wrap", maxHeight: 120, overflow: "auto" }}
          >
            {siblings.map((one) => (
              <ToggleButton key={one.id} value={one.id} sx={{ minHeight: 28, minWidth: 36 }}>
                {one.row}
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
        </Box>
      )}
      <ValuesTable title="Predictions" columns={of("output")} row={row} onFilter={onFilter} />
      <ValuesTable title="Feedback" columns={of("feedback")} row={row} onFilter={onFilter} />
      {row.values.status === 200 && <FeedbackForm deployment={deployment} siblings={siblings} />}
      <ValuesTable title="Features" columns={of("feature")} row={row} onFilter={onFilter} />
    </Box>
  );
}

function property({ name, label }: LogColumn, value: unknown): Property {
  if (name === "request_id" || name === "revision") {
    return { name: label, value: <CopyableId id={String(value)} what={label.toLowerCase()} form="whole" /> };
  }
  if (name === "status" && typeof value === "number")
    return { name: label, value: <HttpStatus status={value} /> };
  return { name: label, value: formatValue(name, value, "exact") };
}
