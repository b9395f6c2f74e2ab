import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { AddIcon, ChevronDownIcon } from "@/ui/icons";
import type { Deployment } from "../queries";
import { type Change, endings, type Role, rolesOf } from "../rollout";
import { AddPredictorDialog } from "./AddPredictorDialog";
import { ChangeDialog } from "./ChangeDialog";
import { WeightDialog } from "./WeightDialog";

/** Rollouts: add a canary or shadow, shift its traffic, promote or remove it. Each is reviewed before it is made. */
export function TrafficActions({ deployment }: { deployment: Deployment }) {
  const { predictors } = deployment;
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [open, setOpen] = useState<Role | "weight">();
  const [change, setChange] = useState<Change>();
  const { canaries, shadows } = rolesOf(predictors);
  const hasCanary = canaries.length > 0;
  const show = (next?: Role | "weight") => {
    setAnchor(null);
    setOpen(next);
  };
  const review = (next: Change) => {
    show();
    setChange(next);
  };
  return (
    <>
      {hasCanary ? (
        <Button variant="outlined" onClick={() => show("weight")}>
          Shift traffic
        </Button>
      ) : (
        <Button variant="outlined" startIcon={<AddIcon />} onClick={() => show("canary")}>
          Add canary
        </Button>
      )}
      <Button
        variant="outlined"
        endIcon={<ChevronDownIcon />}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        Traffic
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {endings(predictors).map((ending) => (
          <MenuItem key={ending.title} onClick={() => review(ending)}>
            {ending.label}
          </MenuItem>
        ))}
        {hasCanary && <MenuItem onClick={() => show("canary")}>Add another canary…</MenuItem>}
        {shadows.length === 0 && (
          <MenuItem onClick={() => show("shadow")}>Add a shadow: it gets a copy of the traffic…</MenuItem>
        )}
      </Menu>
      {(open === "canary" || open === "shadow") && (
        <AddPredictorDialog deployment={deployment} role={open} onClose={() => show()} onReview={review} />
      )}
      {open === "weight" && <WeightDialog deployment={deployment} onClose={() => show()} onReview={review} />}
      {change && <ChangeDialog {...change} deployment={deployment} onClose={() => setChange(undefined)} />}
    </>
  );
}
