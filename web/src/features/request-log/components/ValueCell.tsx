import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Tooltip from "@mui/material/Tooltip";
import { HttpStatus } from "@/ui/HttpStatus";
import { FilterAddIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { filterValue, formatValue, type LogColumn } from "../columns";
import { condition } from "../filter";

interface Props {
  column: LogColumn;
  value: unknown;
  onFilter: (added: string) => void;
}

/** A value, and beside it what filters by it. */
export function ValueCell({ column, value, onFilter }: Props) {
  const comparable = filterValue(column, value);
  const added = comparable === undefined ? undefined : condition(column.name, "=", comparable);
  return (
    <Box
      sx={{
        position: "relative",
        display: "flex",
        alignItems: "center",
        justifyContent: "inherit",
        height: "100%",
        "& .filter": { opacity: 0 },
        "&:hover .filter, & .filter:focus-visible": { opacity: 1 },
      }}
    >
      {added && (
        <Tooltip title={`Filter by ${added}`}>
          <IconButton
            className="filter"
            tabIndex={-1}
            aria-label={`Filter by ${added}`}
            onClick={(event) => {
              event.stopPropagation();
              onFilter(added);
            }}
            sx={{
              position: "absolute",
              right: column.group === "request" && column.name !== "latency" ? 0 : "auto",
              left: column.group === "request" && column.name !== "latency" ? "auto" : -6,
              p: 0.25,
              bgcolor: "background.paper",
              "&:hover": { bgcolor: "console.well" },
            }}
          >
            <FilterAddIcon sx={{ fontSize: 15 }} />
          </IconButton>
        </Tooltip>
      )}
      <Box component="span" sx={{ overflow: "hidden", textOverflow: "ellipsis", width: "100%" }}>
        <Value column={column} value={value} />
      </Box>
    </Box>
  );
}

function Value({ column: { name }, value }: Pick<Props, "column" | "value">) {
  if (name === "status" && typeof value === "number") return <HttpStatus status={value} form="code" />;
  const text = formatValue(name, value);
  return name === "request_id" || name === "revision" ? <Mono>{text}</Mono> : text;
}
