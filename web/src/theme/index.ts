import { createTheme } from "@mui/material/styles";
import type {} from "@mui/material/themeCssVarsAugmentation";
import type {} from "@mui/x-data-grid/themeAugmentation";
import { components } from "./components";
import { type ConsoleColors, darkColors, fontFamily, lightColors } from "./tokens";

declare module "@mui/material/styles" {
  interface Palette {
    console: ConsoleColors;
  }
  interface PaletteOptions {
    console?: ConsoleColors;
  }
}

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: "data-color-scheme" },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: "#3056d3", dark: "#2545b0", light: "#5f7fe6", contrastText: "#ffffff" },
        error: { main: "#b3261e" },
        warning: { main: "#a86100" },
        success: { main: "#146c43" },
        info: { main: "#0f6a96" },
        background: { default: "#f7f8fa", paper: "#ffffff" },
        text: { primary: "#171f2c", secondary: "#566173" },
        divider: "#e2e6ec",
        TableCell: { border: "#e2e6ec" },
        DataGrid: { bg: "#ffffff", headerBg: "#f4f6f9", pinnedBg: "#ffffff" },
        console: lightColors,
      },
    },
    dark: {
      palette: {
        primary: { main: "#8fadff", dark: "#6f92f5", light: "#b3c8ff", contrastText: "#0d1530" },
        error: { main: "#ff9d94" },
        warning: { main: "#f3c46b" },
        success: { main: "#7ddba4" },
        info: { main: "#79c9ec" },
        background: { default: "#0e131b", paper: "#151c27" },
        text: { primary: "#e7ebf2", secondary: "#9ba7b9" },
        divider: "#2a3444",
        TableCell: { border: "#2a3444" },
        DataGrid: { bg: "#151c27", headerBg: "#1a222f", pinnedBg: "#151c27" },
        console: darkColors,
      },
    },
  },
  shape: { borderRadius: 8 },
  spacing: 8,
  typography: {
    fontFamily,
    fontSize: 13,
    htmlFontSize: 16,
    h1: { fontSize: "1.375rem", fontWeight: 650, lineHeight: 1.3, letterSpacing: "-0.012em" },
    h2: { fontSize: "0.9375rem", fontWeight: 620, lineHeight: 1.4, letterSpacing: "-0.004em" },
    h3: { fontSize: "0.8125rem", fontWeight: 620, lineHeight: 1.4 },
    body1: { fontSize: "0.875rem", lineHeight: 1.5, letterSpacing: 0 },
    body2: { fontSize: "0.8125rem", lineHeight: 1.5, letterSpacing: 0 },
    caption: { fontSize: "0.75rem", lineHeight: 1.45, letterSpacing: 0 },
    overline: { fontSize: "0.6875rem", fontWeight: 600, letterSpacing: "0.05em", lineHeight: 1.6 },
    button: { textTransform: "none", fontWeight: 560, fontSize: "0.8125rem", letterSpacing: 0 },
  },
  components,
});
