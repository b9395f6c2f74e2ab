import interUrl from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url";
import monoUrl from "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2?url";
import type { Components, CssVarsTheme, Theme } from "@mui/material/styles";
import type { DataGridComponents } from "@mui/x-data-grid/themeAugmentation";
import { rowHeight } from "./tokens";

type ConsoleTheme = Omit<Theme, "components"> & CssVarsTheme;

const focusRing = { outline: "2px solid var(--mui-palette-primary-main)", outlineOffset: 2 };

const fontFaces = `
@font-face { font-family: "Inter Variable"; src: url("${interUrl}") format("woff2"); font-weight: 100 900; font-display: swap; }
@font-face { font-family: "JetBrains Mono Variable"; src: url("${monoUrl}") format("woff2"); font-weight: 100 800; font-display: swap; }
`;

/** How MUI's components look here: flat, compact, with a visible focus. */
export const components: Components<ConsoleTheme> & DataGridComponents<ConsoleTheme> = {
  MuiCssBaseline: {
    styleOverrides: `${fontFaces}
      body { font-feature-settings: "cv11", "ss03"; scrollbar-gutter: stable; }
      a:focus-visible, summary:focus-visible { outline: 2px solid var(--mui-palette-primary-main); outline-offset: 2px; border-radius: 4px; }
      @media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation-duration: 0.01ms !important; transition-duration: 0.01ms !important; } }`,
  },
  MuiButtonBase: {
    defaultProps: { disableRipple: true },
    styleOverrides: { root: { "&.Mui-focusVisible": focusRing } },
  },
  MuiButton: {
    defaultProps: { size: "small", disableElevation: true },
    styleOverrides: {
      root: { minHeight: 32, paddingInline: 12, borderRadius: 7, whiteSpace: "nowrap" },
      outlined: { borderColor: "var(--mui-palette-divider)", color: "var(--mui-palette-text-primary)" },
    },
    variants: [
      {
        props: { variant: "outlined", color: "error" },
        style: { color: "var(--mui-palette-error-main)" },
      },
    ],
  },
  MuiIconButton: { defaultProps: { size: "small" }, styleOverrides: { root: { borderRadius: 7 } } },
  MuiToggleButton: {
    defaultProps: { size: "small" },
    styleOverrides: { root: { minHeight: 32, paddingBlock: 0, paddingInline: 12, borderRadius: 7 } },
  },
  MuiToggleButtonGroup: { defaultProps: { size: "small" } },
  MuiTextField: { defaultProps: { size: "small", fullWidth: true } },
  MuiFormControl: { defaultProps: { size: "small" } },
  MuiOutlinedInput: {
    styleOverrides: {
      root: {
        borderRadius: 7,
        fontSize: "0.8125rem",
        backgroundColor: "var(--mui-palette-background-paper)",
        "&:not(:hover):not(.Mui-focused):not(.Mui-error) .MuiOutlinedInput-notchedOutline": {
          borderColor: "var(--mui-palette-divider)",
        },
      },
      input: {
        "&:not(.MuiInputBase-inputMultiline)": { paddingBlock: 7, height: "1.25rem", minHeight: "1.25rem" },
      },
    },
  },
  MuiAutocomplete: {
    styleOverrides: {
      root: {
        "& .MuiOutlinedInput-root.MuiInputBase-sizeSmall": { paddingBlock: 0 },
        "& .MuiOutlinedInput-root.MuiInputBase-sizeSmall .MuiAutocomplete-input": { paddingBlock: 7 },
      },
    },
  },
  MuiInputLabel: { styleOverrides: { root: { fontSize: "0.8125rem" } } },
  MuiMenuItem: { styleOverrides: { root: { fontSize: "0.8125rem", minHeight: 34 } } },
  MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: "none" } } },
  MuiCard: { defaultProps: { variant: "outlined" } },
  MuiDialog: {
    styleOverrides: { paper: { border: "1px solid var(--mui-palette-divider)", borderRadius: 12 } },
  },
  MuiMenu: { styleOverrides: { paper: { border: "1px solid var(--mui-palette-divider)" } } },
  MuiTooltip: {
    defaultProps: { arrow: true, enterDelay: 300, describeChild: true },
    styleOverrides: { tooltip: { fontSize: "0.75rem", maxWidth: 420 } },
  },
  MuiTableCell: {
    styleOverrides: {
      root: {
        fontSize: "0.8125rem",
        paddingBlock: 8,
        paddingInline: 16,
        borderColor: "var(--mui-palette-divider)",
      },
      head: {
        fontSize: "0.75rem",
        fontWeight: 560,
        color: "var(--mui-palette-text-secondary)",
        paddingBlock: 6,
        backgroundColor: "var(--mui-palette-console-well)",
      },
    },
  },
  MuiAlert: { styleOverrides: { root: { borderRadius: 8, fontSize: "0.8125rem", paddingBlock: 4 } } },
  MuiChip: { styleOverrides: { root: { borderRadius: 6, fontSize: "0.75rem" } } },
  MuiLink: { defaultProps: { underline: "hover" } },
  MuiDataGrid: {
    defaultProps: {
      density: "standard",
      rowHeight,
      columnHeaderHeight: rowHeight,
      disableRowSelectionOnClick: true,
    },
    styleOverrides: {
      root: {
        fontSize: "0.8125rem",
        borderRadius: 8,
        "& .MuiDataGrid-columnHeaderTitle": {
          fontSize: "0.75rem",
          fontWeight: 560,
          color: "var(--mui-palette-text-secondary)",
        },
        "& .MuiDataGrid-cell:focus, & .MuiDataGrid-cell:focus-within, & .MuiDataGrid-columnHeader:focus, & .MuiDataGrid-columnHeader:focus-within":
          { outlineOffset: -2 },
      },
    },
  },
};
