import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Slider from "@mui/material/Slider";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import { SeriesMark, TrafficBar } from "@/ui/TrafficBar";
import { inProportion, setTraffic } from "../manifest/change";
import type { Deployment } from "../queries";

interface Props {
  deployment: Deployment;
  onClose: () => void;
  onReview: (change: { title: string; manifest: Record<string, unknown> }) => void;
}

/** Splits the traffic anew. What one predictor gains, the others lose in proportion. */
export function TrafficDialog({ deployment, onClose, onReview }: Props) {
  const { predictors, manifest } = deployment;
  const names = predictors.map((predictor) => predictor.name);
  const [shares, setShares] = useState(() => predictors.map((predictor) => predictor.desiredWeight));
  const isChanged = shares.some((share, index) => share !== predictors[index]?.desiredWeight);

  const set = (index: number, share: number) => setShares((before) => shift(before, index, share));
  const review = () => {
    const byName = Object.fromEntries(names.map((name, index) => [name, shares[index] ?? 0]));
    onReview({ title: "Shift traffic", manifest: setTraffic(manifest, byName) });
  };
  return (
    <Dialog open onClose={onClose} maxWidth="sm" fullWidth aria-labelledby="traffic-title">
      <DialogTitle id="traffic-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
        Shift traffic of {deployment.name}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2 }}>
        <TrafficBar shares={names.map((name, index) => ({ name, weight: shares[index] ?? 0 }))} height={10} />
        {names.map((name, index) => (
          <Box
            key={name}
            sx={{
              display: "grid",
              gridTemplateColumns: "140px minmax(0, 1fr) 96px",
              gap: 2.5,
              alignItems: "center",
            }}
          >
            <Box
              sx={{ display: "flex", alignItems: "center", gap: 1, fontWeight: 600, fontSize: "0.8125rem" }}
            >
              <SeriesMark index={index} />
              {name}
            </Box>
            <Slider
              size="small"
              aria-label={`Traffic of ${name} in percent`}
              value={shares[index] ?? 0}
              onChange={(_event, value) => set(index, Number(value))}
            />
            <TextField
              type="number"
              value={shares[index] ?? 0}
              onChange={({ target }) => set(index, Number(target.value))}
              slotProps={{
                htmlInput: { min: 0, max: 100, "aria-label": `Percent for ${name}` },
                input: { endAdornment: "%" },
              }}
            />
          </Box>
        ))}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2.5 }}>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="contained" disabled={!isChanged} onClick={review}>
          Review…
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** The shares with one of them changed; they go on summing to 100. */
function shift(shares: number[], index: number, share: number): number[] {
  const kept = Math.min(100, Math.max(0, Math.round(share) || 0));
  const others = inProportion(shares.filter((_share, position) => position !== index));
  const scaled = spread(others, 100 - kept);
  return shares.map((_share, position) =>
    position === index ? kept : (scaled[position > index ? position - 1 : position] ?? 0),
  );
}

/** Shares of 100 as whole shares of `total`. */
function spread(shares: number[], total: number): number[] {
  const rounded = shares.map((share) => Math.round((share * total) / 100));
  const missing = total - rounded.reduce((sum, share) => sum + share, 0);
  const largest = rounded.indexOf(Math.max(...rounded));
  return rounded.map((share, position) => (position === largest ? share + missing : share));
}
