import { useColorScheme, useTheme } from "@mui/material/styles";
import { type ConsoleColors, darkColors, lightColors } from "./tokens";

/** The colours in force as plain values, for what cannot read CSS variables: a canvas. */
export function useChartColors(): ConsoleColors & { font: string; paper: string } {
  const { mode, systemMode } = useColorScheme();
  const theme = useTheme();
  const isDark = (mode === "system" ? systemMode : mode) === "dark";
  const paper = theme.colorSchemes?.[isDark ? "dark" : "light"]?.palette.background.paper ?? "transparent";
  return { ...(isDark ? darkColors : lightColors), font: `11px ${theme.typography.fontFamily}`, paper };
}
