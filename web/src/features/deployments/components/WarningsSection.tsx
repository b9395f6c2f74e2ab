import Box from "@mui/material/Box";
import { WarningIcon } from "@/ui/icons";
import { Mono } from "@/ui/Mono";
import { Prose } from "@/ui/Prose";
import { Section } from "@/ui/Section";
import { count } from "@/util/format";
import type { Warning } from "../queries";

/** Fields of the manifest that do not do what one may expect. */
export function WarningsSection({ warnings }: { warnings: Warning[] }) {
  return (
    <Section title="Warnings" note={count(warnings.length, "field")}>
      <Box component="ul" sx={{ m: 0, p: 0, listStyle: "none", display: "grid", gap: 1.25 }}>
        {warnings.map(({ path, message }) => (
          <Box
            component="li"
            key={`${path} ${message}`}
            sx={{ display: "flex", gap: 1, fontSize: "0.8125rem" }}
          >
            <WarningIcon sx={{ fontSize: 17, mt: 0.25, color: "console.status.progressing.main" }} />
            <Box sx={{ minWidth: 0 }}>
              <Mono sx={{ overflowWrap: "anywhere" }}>{path}</Mono>
              <Box sx={{ color: "text.secondary" }}>
                <Prose text={message} />
              </Box>
            </Box>
          </Box>
        ))}
      </Box>
    </Section>
  );
}
