import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import MenuItem from "@mui/material/MenuItem";
import Select from "@mui/material/Select";
import Typography from "@mui/material/Typography";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronLeftIcon, ChevronRightIcon } from "@/ui/icons";
import { count as countOf } from "@/util/format";
import { firstPage, nextPage, PAGE_SIZE, PAGE_SIZES, previousPage } from "../search";

interface Props {
  /** Rows of this page. */
  count: number;
  /** Where the next page begins. */
  next?: string;
}

const route = getRouteApi("/deployments/$namespace/$name/requests");

/** Goes through the pages, from the newest to the oldest. */
export function Pager({ count, next }: Props) {
  const { cursor, back, limit = PAGE_SIZE } = route.useSearch();
  const navigate = route.useNavigate();
  const isFirst = cursor === undefined;
  return (
    <Box
      component="nav"
      aria-label="Pages"
      sx={{ display: "flex", alignItems: "center", gap: 1, flexWrap: "wrap" }}
    >
      <Typography variant="caption" color="textSecondary" aria-live="polite" sx={{ flexGrow: 1 }}>
        {countOf(count, "row")}, newest first{next === undefined ? "" : "; there are more"}
      </Typography>
      <Typography variant="caption" color="textSecondary" id="page-size">
        Rows a page
      </Typography>
      <Select
        value={limit}
        onChange={({ target }) =>
          void navigate({ search: (before) => ({ ...firstPage(before), limit: target.value }) })
        }
        labelId="page-size"
        sx={{ mr: 1, fontSize: "0.75rem" }}
      >
        {PAGE_SIZES.map((size) => (
          <MenuItem key={size} value={size}>
            {size}
          </MenuItem>
        ))}
      </Select>
      <Button variant="outlined" disabled={isFirst} onClick={() => void navigate({ search: firstPage })}>
        Newest
      </Button>
      <Button
        variant="outlined"
        startIcon={<ChevronLeftIcon />}
        disabled={isFirst || !back}
        onClick={() => void navigate({ search: previousPage })}
      >
        Newer
      </Button>
      <Button
        variant="outlined"
        endIcon={<ChevronRightIcon />}
        disabled={next === undefined}
        onClick={() => next !== undefined && void navigate({ search: (before) => nextPage(before, next) })}
      >
        Older
      </Button>
    </Box>
  );
}
