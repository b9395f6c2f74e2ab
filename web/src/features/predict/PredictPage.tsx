import Box from "@mui/material/Box";
import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { deploymentQuery } from "@/features/deployments/queries";
import { describeColumns, rowsOf } from "@/features/request-log/columns";
import { newestQuery, type RequestPage, requestQuery } from "@/features/request-log/queries";
import { AnswerPanel } from "./components/AnswerPanel";
import { RequestPanel } from "./components/RequestPanel";
import { bodyOfRows, irisExample } from "./example";
import { predict } from "./predict";

const route = getRouteApi("/deployments/$namespace/$name/predict");

/** Makes predictions by hand. */
export function PredictPage() {
  const params = route.useParams();
  const { like, predictor } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: deployment } = useSuspenseQuery(deploymentQuery(params));
  const example = useExample(deployment.predictPath, like);
  const [written, setWritten] = useState<string>();
  const body = written ?? example;
  const prediction = useMutation({ mutationFn: predict });
  const send = () => {
    if (body !== undefined) prediction.mutate({ path: deployment.predictPath, body, predictor });
  };
  return (
    <Box
      sx={{
        flexGrow: 1,
        display: "grid",
        gap: 2.5,
        minHeight: 460,
        gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "minmax(0, 1fr) minmax(0, 1fr)" },
        gridAutoRows: { xs: "480px", lg: "minmax(0, 1fr)" },
      }}
    >
      <RequestPanel
        deployment={deployment}
        body={body ?? ""}
        onBody={setWritten}
        predictor={predictor}
        onPredictor={(next) =>
          void navigate({ search: (before) => ({ ...before, predictor: next }), replace: true })
        }
        onSend={send}
        isSending={prediction.isPending}
      />
      <AnswerPanel
        deployment={deployment}
        answer={prediction.data}
        error={prediction.error}
        isSending={prediction.isPending}
      />
    </Box>
  );
}

/** A body to begin with: that of a request of the log, else like the newest; undefined while it is looked up. */
function useExample(path: string, like?: string): string | undefined {
  const params = route.useParams();
  const [requestId = "", row] = splitRow(like);
  const one = useQuery({ ...requestQuery(params, requestId), enabled: requestId !== "" });
  const newest = useQuery({ ...newestQuery(params), enabled: requestId === "" });
  const { data, isPending } = requestId === "" ? newest : one;
  if (isPending) return undefined;
  return (data && bodyOf(path, data, row)) ?? irisExample(path);
}

/** From `<request id>:<row>`; ids may hold colons themselves. */
function splitRow(like = ""): [string, number?] {
  const [, id, row] = /^(.*):(\d+)$/.exec(like) ?? [];
  return id === undefined ? [like] : [id, Number(row)];
}

function bodyOf(path: string, page: RequestPage, row?: number): string | undefined {
  const rows = rowsOf(page).sort((a, b) => a.row - b.row);
  const wanted = row === undefined ? rows : rows.filter((one) => one.row === row);
  return bodyOfRows(path, describeColumns(page), wanted);
}
