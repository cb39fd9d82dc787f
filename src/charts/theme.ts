import type { Figure, Layout, Trace } from "./figure.js";

/** Colours that colour-blind readers tell apart, in the order of use. See Okabe & Ito (2008), Color Universal Design. */
export const palette = Object.freeze({
  blue: "#0072B2",
  orange: "#E69F00",
  green: "#009E73",
  red: "#D55E00",
  purple: "#CC79A7",
  sky: "#56B4E9",
  grey: "#767676",
  ink: "#1F2933",
  rule: "#D9DEE3",
});

const seriesColors = [
  palette.blue,
  palette.orange,
  palette.green,
  palette.red,
  palette.purple,
  palette.sky,
  palette.grey,
];

/** Colour of the series at a place from 0 up; after seven they come again. */
export const colorOf = (place: number): string => seriesColors[place % seriesColors.length] as string;

/** Light to dark blue for heat maps: dark means more, in colour and in grey print. */
export const sequential: readonly (readonly [number, string])[] = Object.freeze([
  [0, "#F2F7FB"],
  [0.25, "#C3DCEE"],
  [0.5, "#7FB5D9"],
  [0.75, "#2F85BD"],
  [1, "#08406B"],
] as const);

/** What every figure says about itself. */
export interface FigureText {
  /** The finding, in words. A figure computes one from its data when none is given. */
  readonly title?: string;
  /** Where the data come from; printed small below the title. */
  readonly source?: string;
}

/** What a figure needs beside its traces. */
export interface LayoutSpec {
  readonly title: string;
  readonly source?: string | undefined;
  readonly height?: number;
  /** Right margin in pixels, for labels that stand outside the bars. */
  readonly right?: number;
  readonly legend?: boolean;
  readonly axes: Readonly<Record<string, unknown>>;
  readonly extra?: Readonly<Record<string, unknown>>;
}

const titleWidth = 72; // characters of 16 px that fit into 700 px

/** Breaks a title between words so that no line is longer than a 700-pixel figure is wide. */
export function wrapTitle(text: string, width = titleWidth): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const line = lines[lines.length - 1];
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join("<br>");
}

/**
 * The finished figure: one look for all, white paper (legible in a dark notebook too), room for the title, the source and the
 * legend above the plot.
 * @throws RangeError if a value is not JSON-safe (undefined, NaN, infinite), naming its place in the figure.
 */
export function figureOf(data: readonly Trace[], spec: LayoutSpec): Figure {
  const text = wrapTitle(spec.title);
  const titleHeight = 24 + text.split("<br>").length * 22 + (spec.source ? 20 : 0);
  const legend = { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", traceorder: "normal" };
  const figure: Figure = {
    data,
    layout: {
      title: titleOf(text, spec.source),
      autosize: true,
      height: spec.height ?? 420,
      margin: { l: 72, r: spec.right ?? 24, t: titleHeight + (spec.legend ? 28 : 8), b: 56 },
      paper_bgcolor: "#FFFFFF",
      plot_bgcolor: "#FFFFFF",
      font: { family: "Helvetica, Arial, sans-serif", size: 13, color: palette.ink },
      colorway: [palette.blue, palette.orange, palette.green, palette.red, palette.purple, palette.sky],
      hoverlabel: { bgcolor: "#FFFFFF", font: { color: palette.ink } },
      showlegend: spec.legend ?? false,
      ...(spec.legend ? { legend } : {}),
      ...spec.axes,
      ...spec.extra,
    },
  };
  requireJsonSafe(figure, "figure");
  return figure;
}

/** Title at the top left with the source in small print below it. */
function titleOf(text: string, source: string | undefined): Layout["title"] {
  const top = text.includes("<br>") ? 26 : 16; // Plotly sets several lines higher than one
  const subtitle = {
    text: wrapTitle(`Source: ${source ?? ""}`, 96),
    font: { size: 12, color: palette.grey },
  };
  return {
    text,
    font: { size: 16, color: palette.ink },
    x: 0,
    xref: "container",
    xanchor: "left",
    y: 1,
    yref: "container",
    yanchor: "top",
    pad: { l: 16, t: top },
    ...(source === undefined ? {} : { subtitle }),
  };
}

/** An axis with its title (unit included), light grid and no box. */
export function axis(title: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    title: { text: title, standoff: 8 },
    automargin: true,
    gridcolor: palette.rule,
    zerolinecolor: palette.rule,
    linecolor: palette.rule,
    ticks: "",
    ...more,
  };
}

/** A share axis in percent that starts at 0. */
export const shareAxis = (
  title: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => axis(title, { tickformat: ".0%", rangemode: "tozero", ...more });

/** The line from 0 to `most` on which predictions come true. */
export const diagonal = (most: number): Trace => ({
  type: "scatter",
  mode: "lines",
  name: "as predicted",
  x: [0, most],
  y: [0, most],
  line: { color: palette.grey, width: 1, dash: "dash" },
  hoverinfo: "skip",
});

/** A vertical line over the whole height of the plot. */
export const verticalLine = (x: number, dash: "dash" | "dot"): Record<string, unknown> => ({
  type: "line",
  x0: x,
  x1: x,
  yref: "paper",
  y0: 0,
  y1: 1,
  line: { color: palette.ink, width: 1, dash },
});

/** A count with its unit, the plural less its s for 1: "1 month", "3 months". */
export const counted = (count: number | string, units: string): string =>
  `${count} ${Number(count) === 1 ? units.replace(/s$/, "") : units}`;

/** 0.4213 as "42 %", with one digit below 10 %. */
export function percent(share: number): string {
  const points = share * 100;
  return `${points.toFixed(Math.abs(points) < 9.95 && points !== 0 ? 1 : 0)}%`;
}

/** 1234567.8 as "1,234,568". */
export function thousands(value: number, digits = 0): string {
  const [whole = "", rest] = Math.abs(value).toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${value < 0 && Number(value.toFixed(digits)) !== 0 ? "-" : ""}${grouped}${rest === undefined ? "" : `.${rest}`}`;
}

/** Fails where JSON would silently lose something. */
function requireJsonSafe(value: unknown, place: string): void {
  if (
    value === undefined ||
    typeof value === "function" ||
    typeof value === "bigint" ||
    typeof value === "symbol"
  ) {
    throw new RangeError(`${place} must be JSON-safe, got ${typeof value}`);
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new RangeError(`${place} must be a finite number, got ${value}`);
  }
  if (value === null || typeof value !== "object") return;
  if (ArrayBuffer.isView(value))
    throw new RangeError(`${place} must be an ordinary array, got ${value.constructor.name}`);
  for (const [key, part] of Object.entries(value)) requireJsonSafe(part, `${place}.${key}`);
}
