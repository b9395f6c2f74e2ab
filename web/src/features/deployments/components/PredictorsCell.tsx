import Box from "@mui/material/Box";
import { Prose } from "@/ui/Prose";
import { SeriesMark, TrafficBar } from "@/ui/TrafficBar";
import type { DeploymentSummary } from "../queries";

/** The split of the traffic, and what runs behind it. */
export function PredictorsCell({ deployment }: { deployment: DeploymentSummary }) {
  const { predictors, state, description } = deployment;
  if (predictors.length === 0) return <>–</>;
  return (
    <Box sx={{ width: "100%", maxWidth: 640, display: "grid", gap: 0.75 }}>
      <TrafficBar shares={predictors} height={6} />
      <Box sx={{ display: "flex", flexWrap: "wrap", columnGap: 2, rowGap: 0.25, lineHeight: 1.3 }}>
        {predictors.map((predictor, index) => (
          <Box
            key={predictor.name}
            component="span"
            sx={{
              display: "inline-flex",
              alignItems: "center",
              gap: 0.75,
              fontSize: "0.75rem",
              whiteSpace: "nowrap",
            }}
          >
            <SeriesMark index={index} />
            {predictor.name} {predictor.weight} %
            <Box component="span" sx={{ color: "text.secondary" }}>
              {predictor.implementation}
            </Box>
          </Box>
        ))}
      </Box>
      {state === "Failed" && description && (
        <Box
          title={description}
          sx={{
            overflow: "hidden",
            display: "-webkit-box",
            WebkitBoxOrient: "vertical",
            WebkitLineClamp: 2,
            whiteSpace: "normal",
            fontSize: "0.75rem",
            lineHeight: 1.4,
            color: "console.status.failed.main",
          }}
        >
          <Prose text={description} />
        </Box>
      )}
    </Box>
  );
}
