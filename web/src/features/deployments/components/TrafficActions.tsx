import Button from "@mui/material/Button";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useState } from "react";
import { AddIcon, ChevronDownIcon } from "@/ui/icons";
import { toYaml } from "../manifest/build";
import { promote, removePredictor } from "../manifest/change";
import type { Deployment } from "../queries";
import { ApplyDialog } from "./ApplyDialog";
import { CanaryDialog } from "./CanaryDialog";
import { TrafficDialog } from "./TrafficDialog";

interface Change {
  title: string;
  manifest: Record<string, unknown>;
}

/** Rollouts: add a canary, shift its traffic, promote or remove it. Each is reviewed before it is applied. */
export function TrafficActions({ deployment }: { deployment: Deployment }) {
  const { predictors, manifest } = deployment;
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [open, setOpen] = useState<"canary" | "traffic">();
  const [change, setChange] = useState<Change>();
  const others = predictors.slice(1);
  const review = (next: Change) => {
    setAnchor(null);
    setOpen(undefined);
    setChange(next);
  };
  return (
    <>
      {others.length === 0 && (
        <Button variant="outlined" startIcon={<AddIcon />} onClick={() => setOpen("canary")}>
          Add canary
        </Button>
      )}
      {others.length > 0 && (
        <>
          <Button variant="outlined" onClick={() => setOpen("traffic")}>
            Shift traffic
          </Button>
          <Button
            variant="outlined"
            endIcon={<ChevronDownIcon />}
            aria-haspopup="menu"
            aria-expanded={anchor !== null}
            onClick={(event) => setAnchor(event.currentTarget)}
          >
            Promote or remove
          </Button>
        </>
      )}
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {others.map(({ name }) => (
          <MenuItem
            key={`promote ${name}`}
            onClick={() => review({ title: `Promote ${name}`, manifest: promote(manifest, name) })}
          >
            Promote {name}: it serves alone, as {predictors[0]?.name}
          </MenuItem>
        ))}
        {predictors.map(({ name }) => (
          <MenuItem
            key={`remove ${name}`}
            onClick={() => review({ title: `Remove ${name}`, manifest: removePredictor(manifest, name) })}
          >
            Remove {name}
          </MenuItem>
        ))}
      </Menu>
      {open === "canary" && (
        <CanaryDialog deployment={deployment} onClose={() => setOpen(undefined)} onReview={review} />
      )}
      {open === "traffic" && (
        <TrafficDialog deployment={deployment} onClose={() => setOpen(undefined)} onReview={review} />
      )}
      {change && (
        <ApplyDialog
          deployment={deployment}
          title={change.title}
          before={toYaml(manifest)}
          manifest={toYaml(change.manifest)}
          onClose={() => setChange(undefined)}
        />
      )}
    </>
  );
}
