/** Colours, type and density: the only place that names a colour. */

/** A colour of a state: for text and marks, and a soft one behind them. */
export interface StatusColor {
  main: string;
  soft: string;
}

/** Colours that mean the same thing on every page. */
export interface ConsoleColors {
  status: {
    healthy: StatusColor;
    progressing: StatusColor;
    failed: StatusColor;
    unknown: StatusColor;
  };
  /** Colours of predictors, in their order; they differ for the colour-blind too. */
  series: string[];
  chart: { axis: string; grid: string; cursor: string };
  code: {
    keyword: string;
    text: string;
    number: string;
    name: string;
    comment: string;
    selection: string;
    added: string;
    removed: string;
  };
  /** Background of bars that hold something, such as a table's head. */
  well: string;
}

export const lightColors: ConsoleColors = {
  status: {
    healthy: { main: "#146c43", soft: "#e2f4ea" },
    progressing: { main: "#8a5200", soft: "#fdf1d8" },
    failed: { main: "#b3261e", soft: "#fdeae8" },
    unknown: { main: "#566173", soft: "#eceff3" },
  },
  series: ["#3056d3", "#d97706", "#0f8f7e", "#9747c7", "#c2417c", "#2f9fd0", "#7a7d1f", "#5f6b7c"],
  chart: { axis: "#5b6678", grid: "#e7eaf0", cursor: "#8d97a8" },
  code: {
    keyword: "#8f3fb8",
    text: "#0f766e",
    number: "#b45309",
    name: "#2b4ec4",
    comment: "#5b677a",
    selection: "#d5e0fb",
    added: "#e0f5e7",
    removed: "#fde7e5",
  },
  well: "#f4f6f9",
};

export const darkColors: ConsoleColors = {
  status: {
    healthy: { main: "#7ddba4", soft: "#15352a" },
    progressing: { main: "#f3c46b", soft: "#3a2e15" },
    failed: { main: "#ff9d94", soft: "#42201f" },
    unknown: { main: "#a5b0c2", soft: "#293242" },
  },
  series: ["#82a4ff", "#f5a742", "#4fd1bd", "#c795ee", "#f28bb8", "#72cdf4", "#c9cc6b", "#a5b0c2"],
  chart: { axis: "#97a3b6", grid: "#273142", cursor: "#6d7a8f" },
  code: {
    keyword: "#d3a4f2",
    text: "#7fdcc9",
    number: "#f3bd77",
    name: "#9dbaff",
    comment: "#8b97aa",
    selection: "#2b3f6b",
    added: "#173a2a",
    removed: "#472524",
  },
  well: "#1a222f",
};

export const fontFamily = '"Inter Variable", system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';
export const monospace = '"JetBrains Mono Variable", ui-monospace, "DejaVu Sans Mono", Menlo, monospace';

/** Height of a table's row, in pixels. */
export const rowHeight = 36;
