import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import MenuItem from "@mui/material/MenuItem";
import Slider from "@mui/material/Slider";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import { SeriesMark, TrafficBar } from "@/ui/TrafficBar";
import type { Deployment } from "../queries";
import { type Change, mostFor, rolesOf, shift } from "../rollout";

interface Props {
  deployment: Deployment;
  onClose: () => void;
  onReview: (change: Change) => void;
}

/** Gives a canary another share of the traffic. What it gains, the main predictor loses. */
export function WeightDialog({ deployment, onClose, onReview }: Props) {
  const { predictors } = deployment;
  const { main, canaries } = rolesOf(predictors);
  const [name, setName] = useState(canaries[0]?.name ?? "");
  const [edited, setEdited] = useState<number>();
  const canary = canaries.find((one) => one.name === name);
  if (!main || !canary) return null;

  const most = mostFor(canary, canaries);
  const weight = edited ?? canary.desiredWeight;
  const set = (share: number) => setEdited(Math.min(most, Math.max(0, Math.round(share) || 0)));
  const choose = (next: string) => {
    setName(next);
    setEdited(undefined);
  };
  const shares = predictors.map((predictor) => ({
    name: predictor.name,
    weight: predictor === canary ? weight : predictor === main ? most - weight : predictor.desiredWeight,
  }));
  const review = () => onReview({ title: `Shift traffic to ${name}`, change: shift(name, weight) });
  return (
    <Dialog open onClose={onClose} maxWidth="sm" fullWidth aria-labelledby="weight-title">
      <DialogTitle id="weight-title" sx={{ fontSize: "1rem", fontWeight: 620 }}>
        Shift traffic of {deployment.name}
      </DialogTitle>
      <DialogContent sx={{ display: "grid", gap: 2.25 }}>
        <TrafficBar shares={shares} height={10} />
        {canaries.length > 1 && (
          <TextField
            select
            label="Canary"
            value={name}
            onChange={({ target }) => choose(target.value)}
            slotProps={{ inputLabel: { shrink: true } }}
          >
            {canaries.map((one) => (
              <MenuItem key={one.name} value={one.name}>
                {one.name}
              </MenuItem>
            ))}
          </TextField>
        )}
        <Box
          sx={{ display: "grid", gridTemplateColumns: "minmax(0, 1fr) 112px", gap: 3, alignItems: "center" }}
        >
          <Slider
            size="small"
            aria-label={`Traffic of ${name} in percent`}
            max={most}
            value={weight}
            onChange={(_event, value) => set(Number(value))}
          />
          <TextField
            type="number"
            value={weight}
            onChange={({ target }) => set(Number(target.value))}
            slotProps={{
              htmlInput: { min: 0, max: most, "aria-label": `Percent for ${name}` },
              input: { endAdornment: "%" },
            }}
          />
        </Box>
        <Shares shares={shares} />
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2.5 }}>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="contained" disabled={weight === canary.desiredWeight} onClick={review}>
          Review…
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Shares({ shares }: { shares: { name: string; weight: number }[] }) {
  return (
    <Box
      sx={{ display: "flex", flexWrap: "wrap", columnGap: 2, fontSize: "0.75rem", color: "text.secondary" }}
    >
      {shares.map(({ name, weight }, index) => (
        <Box key={name} component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
          <SeriesMark index={index} /> {name} {weight} %
        </Box>
      ))}
    </Box>
  );
}
