import Box from "@mui/material/Box";
import { RouterLink } from "@/ui/RouterLinks";

/** Mark and name, which lead to the start. */
export function Brand() {
  return (
    <RouterLink
      to="/deployments"
      underline="none"
      aria-label="Provost: all deployments"
      sx={{ display: "flex", alignItems: "center", gap: 1.125, color: "text.primary" }}
    >
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="#3056d3" />
        <path
          d="M10.5 24.5V8.5h6a5 5 0 0 1 0 10h-6"
          fill="none"
          stroke="#fff"
          strokeWidth="3"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
        <circle cx="21.5" cy="23.5" r="2.6" fill="#8ce0c6" />
      </svg>
      <Box component="span" sx={{ fontSize: "1.0625rem", fontWeight: 680, letterSpacing: "-0.02em" }}>
        Provost
      </Box>
    </RouterLink>
  );
}
