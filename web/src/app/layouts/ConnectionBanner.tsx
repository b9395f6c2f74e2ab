import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useIsConnected } from "@/api/connection";
import { OfflineIcon } from "@/ui/icons";
import { useToasts } from "@/ui/Toast";

/** Says that the server cannot be reached, and when it is there again. */
export function ConnectionBanner() {
  const isConnected = useIsConnected();
  const queryClient = useQueryClient();
  const { succeed } = useToasts();
  const wasConnected = useRef(isConnected);
  useEffect(() => {
    if (isConnected && !wasConnected.current) {
      succeed("Connected again.");
      void queryClient.invalidateQueries();
    }
    wasConnected.current = isConnected;
  }, [isConnected, queryClient, succeed]);
  if (isConnected) return null;
  return (
    <Box
      role="alert"
      sx={{
        display: "flex",
        alignItems: "center",
        justifyContent: "center",
        gap: 1.5,
        px: 2,
        py: 0.75,
        fontSize: "0.8125rem",
        color: "console.status.failed.main",
        bgcolor: "console.status.failed.soft",
        borderBottom: 1,
        borderColor: "divider",
      }}
    >
      <OfflineIcon sx={{ fontSize: 18 }} />
      <span>The server cannot be reached. What you see may be old; trying again every few seconds.</span>
      <Button
        size="small"
        color="inherit"
        onClick={() => void queryClient.refetchQueries({ type: "active" })}
      >
        Try now
      </Button>
    </Box>
  );
}
