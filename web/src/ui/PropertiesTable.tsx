import Box from "@mui/material/Box";
import type { ReactNode } from "react";

export interface Property {
  name: string;
  value: ReactNode;
}

/** Names and values below each other. */
export function PropertiesTable({ properties }: { properties: Property[] }) {
  return (
    <Box
      component="dl"
      sx={{
        m: 0,
        display: "grid",
        gridTemplateColumns: "minmax(96px, max-content) minmax(0, 1fr)",
        columnGap: 2,
        rowGap: 0.75,
        alignItems: "baseline",
        fontSize: "0.8125rem",
      }}
    >
      {properties.map(({ name, value }) => (
        <Box key={name} sx={{ display: "contents" }}>
          <Box component="dt" sx={{ color: "text.secondary" }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, minWidth: 0, overflowWrap: "anywhere" }}>
            {value}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
