import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { ApiError, messageOf } from "@/api/problem";
import { deploymentQuery, statusQuery } from "@/features/deployments/queries";
import { describeColumns, type LogRow, rowsOf } from "./columns";
import { FilterBar } from "./components/FilterBar";
import { NoRequestLog } from "./components/NoRequestLog";
import { NoRequests } from "./components/NoRequests";
import { Pager } from "./components/Pager";
import { RequestDrawer } from "./components/RequestDrawer";
import { RequestsGrid } from "./components/RequestsGrid";
import { addCondition } from "./filter";
import { requestsQuery } from "./queries";
import { firstPage, PAGE_SIZE } from "./search";

const route = getRouteApi("/deployments/$namespace/$name/requests");
const LIVE_EVERY = 2_000;

/** The request log, where the server has one. */
export function RequestsPage() {
  const { data: status } = useSuspenseQuery(statusQuery);
  return status.hasRequestLog ? <Requests /> : <NoRequestLog />;
}

/** One row an instance, newest first. */
function Requests() {
  const params = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: deployment } = useSuspenseQuery(deploymentQuery(params));
  const { since, until, filter, cursor, limit = PAGE_SIZE } = search;
  const isLive = search.live === "on" && cursor === undefined;
  const requests = useQuery({
    ...requestsQuery(params, { since, until, filter, cursor, limit }),
    refetchInterval: isLive ? LIVE_EVERY : false,
  });
  const { data: page, error } = requests;
  const columns = useMemo(() => (page ? describeColumns(page) : []), [page]);
  const rows = useMemo(() => (page ? rowsOf(page) : []), [page]);
  // What is wrong with the filter is said at the filter.
  const isFilterError = error instanceof ApiError && error.status === 400 && Boolean(filter);
  const isFiltered = Boolean(since || until || filter);

  const open = (row?: LogRow) =>
    void navigate({ search: (before) => ({ ...before, row: row?.id }), replace: search.row !== undefined });
  const addFilter = (added: string) =>
    void navigate({
      search: (before) => ({ ...firstPage(before), filter: addCondition(before.filter ?? "", added) }),
    });

  return (
    <Box sx={{ display: "flex", flexDirection: "column", gap: 1.5, flexGrow: 1, minHeight: 480 }}>
      {!deployment.requestLog && (
        <Alert severity="info">
          The request log of this deployment is off: new requests are not kept. Set the annotation
          <code> provost.dev/request-log </code> to <code>on</code>, or remove it, to log them.
        </Alert>
      )}
      <FilterBar
        columns={columns}
        filterError={isFilterError ? messageOf(error) : undefined}
        isFetching={requests.isFetching}
        onRefresh={() => void requests.refetch()}
      />
      {error && !isFilterError && <Alert severity="error">{messageOf(error)}</Alert>}
      {(page ? rows.length === 0 && !requests.isPlaceholderData : error !== null) ? (
        <NoRequests
          deployment={deployment}
          isFiltered={isFiltered}
          isFilterWrong={isFilterError}
          isBeyondFirst={cursor !== undefined}
          onClear={() => void navigate({ search: {} })}
        />
      ) : (
        <RequestsGrid
          columns={columns}
          rows={rows}
          isLoading={requests.isPending || requests.isPlaceholderData}
          openRow={search.row}
          onOpen={open}
          onFilter={addFilter}
        />
      )}
      <Pager count={rows.length} next={requests.isPlaceholderData ? undefined : (page?.next ?? undefined)} />
      <RequestDrawer deployment={deployment} rowId={search.row} onClose={() => open()} onFilter={addFilter} />
    </Box>
  );
}
