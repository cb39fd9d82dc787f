import type { Figure } from "./library.js";

/** Colours that a figure takes from the page where it names none itself. */
export interface PageColors {
  readonly text: string;
  readonly grid: string;
  readonly line: string;
  readonly surface: string;
}

/** The height of a figure that names none, in pixels: Plotly's own default. */
const DEFAULT_HEIGHT = 450;

/** The colours of the current theme, read from its style sheet. */
export function pageColors(): PageColors {
  const style = getComputedStyle(document.body);
  const color = (name: string): string => style.getPropertyValue(`--jp-${name}`).trim();
  return {
    text: color("content-font-color1"),
    grid: color("border-color2"),
    line: color("border-color1"),
    surface: color("layout-color0"),
  };
}

/**
 * The figure's layout, following the page's theme. The colours go in as a template: whatever the figure sets itself
 * stays, and a figure that brings its own template is left alone.
 */
export function themedLayout(figure: Figure, colors: PageColors): Record<string, unknown> {
  const layout = { autosize: true, height: DEFAULT_HEIGHT, ...figure.layout };
  return "template" in layout ? layout : { ...layout, template: { layout: templateLayout(colors) } };
}

function templateLayout(colors: PageColors): object {
  const axis = {
    gridcolor: colors.grid,
    linecolor: colors.line,
    zerolinecolor: colors.line,
    automargin: true,
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colors.text },
    hoverlabel: { bgcolor: colors.surface, bordercolor: colors.line, font: { color: colors.text } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colors.line, activecolor: colors.text },
    xaxis: axis,
    yaxis: axis,
  };
}
