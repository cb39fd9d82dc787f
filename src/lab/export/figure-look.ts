/**
 * What a figure lacks to look right where nobody can resize, zoom or scroll it.
 * @module
 */
import { isRecord } from "../notebook/format.js";
import { textWidth } from "./text-width.js";

type Attributes = Readonly<Record<string, unknown>>;

/** A Plotly figure: its traces and its layout, as JSON. */
export interface Figure {
  readonly data: readonly Attributes[];
  readonly layout: Attributes;
}

/** Fonts of every picture and page: widths agree with the table in `text-width`. */
export const sansSerif = "Helvetica, Arial, Liberation Sans, sans-serif";

/** Trace types that Plotly draws as SVG. The others need WebGL or maps from the network. */
const drawableTypes = new Set(
  (
    "bar barpolar box candlestick carpet contour contourcarpet funnel funnelarea heatmap histogram histogram2d " +
    "histogram2dcontour icicle indicator ohlc parcats pie sankey scatter scattercarpet scatterpolar scatterternary " +
    "sunburst table treemap violin waterfall"
  ).split(" "),
);

/** Whether a value read from a notebook has the form of a Plotly figure. Its attributes are Plotly's to judge. */
export function isFigure(value: unknown): value is Figure {
  return (
    isRecord(value) &&
    Array.isArray(value["data"]) &&
    value["data"].every(isRecord) &&
    isRecord(value["layout"])
  );
}

/** The title as plain text: line breaks are spaces, Plotly's few tags are left out. Empty if there is none. */
export function figureTitle({ layout }: Figure): string {
  return titleText(layout["title"])
    .replace(/<br\s*\/?>/gi, " ")
    .replace(/<\/?[a-z][^>]*>/gi, "")
    .replace(/&(amp|lt|gt|nbsp);/g, (_, name: string) => ({ amp: "&", lt: "<", gt: ">" })[name] ?? " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** The figure as it is shown on a page `width` pixels wide: our look where it has none of its own, titles that fit. */
export function dressedFigure({ data, layout }: Figure, width: number): Figure {
  return { data, layout: { template: look, ...layout, ...titlePlace(layout, width) } };
}

/**
 * The figure as it can be drawn on paper: dressed, smooth heat maps as cells, no controls, no images from elsewhere.
 * @throws RangeError naming the trace and its type if drawing it needs WebGL or the network.
 */
export function paperFigure(figure: Figure, width: number): Figure {
  const { data, layout } = dressedFigure(figure, width);
  const { updatemenus: _menus, sliders: _sliders, images, ...still } = layout;
  const embedded = Array.isArray(images) ? images.filter(isEmbedded) : [];
  return { data: data.map(paperTrace), layout: { ...still, images: embedded } };
}

/** Plotly's defaults are those of a screen with a mouse: these hold for whatever the layout leaves open. */
const look = {
  layout: {
    paper_bgcolor: "#fff",
    plot_bgcolor: "#fff",
    font: { family: sansSerif, color: "#1f2933" },
    xaxis: { automargin: true, title: { standoff: 10 }, ticklabelstandoff: 4 },
    yaxis: { automargin: true, title: { standoff: 10 }, ticklabelstandoff: 4 },
    margin: { l: 64, r: 32, t: 64, b: 56 },
  },
};

const isEmbedded = (image: unknown): boolean =>
  isRecord(image) && typeof image["source"] === "string" && image["source"].startsWith("data:image/");

function paperTrace(trace: Attributes, index: number): Attributes {
  const type = typeof trace["type"] === "string" ? trace["type"] : "scatter"; // Plotly's default
  if (!drawableTypes.has(type)) {
    const instead = type.startsWith("scatter") ? "scatter" : [...drawableTypes].join(", ");
    throw new RangeError(
      `trace ${String(index + 1)} is of type ${type}, which needs WebGL or the network: use ${instead}`,
    );
  }
  const { zsmooth: _zsmooth, ...rest } = trace;
  const contours = trace["contours"];
  if (!isRecord(contours) || contours["coloring"] !== "heatmap") return rest;
  return { ...rest, contours: { ...contours, coloring: "fill" } };
}

const titleSize = 17; // Plotly's, with a font of 12
const lineHeight = 1.3;
const capHeight = 0.7;

/**
 * The title in lines that fit, and the margin above the plot that they need. A title without a place of its own stands
 * at the top of the paper.
 */
function titlePlace(layout: Attributes, width: number): Attributes {
  const given = isRecord(layout["title"]) ? layout["title"] : {};
  const margin = isRecord(layout["margin"]) ? layout["margin"] : {};
  const size = numberIn(given["font"], "size") ?? titleSize;
  const lines = linesIn(titleText(layout["title"])).flatMap((line) => wrapped(line, size, width - 48));
  const title = { ...given, text: lines.join("<br>") };
  if (title.text === "") return {};
  const above = numberIn(margin, "t");
  // Plotly puts the top of one line, but the baseline of the first of several, at the title's place.
  const top = lines.length > 1 ? capHeight * size : 0;
  if (given["y"] === undefined) {
    const place = { y: 1, yref: "container", yanchor: "top", pad: { t: 20 + top } };
    return {
      title: { ...place, ...title },
      margin: { ...margin, t: Math.max(above ?? 0, 44 + lineHeight * size * lines.length) },
    };
  }
  const added = lines.length - linesIn(titleText(layout["title"])).length;
  if (added === 0) return { title, margin };
  const pad = isRecord(given["pad"]) ? given["pad"] : {};
  return {
    title: {
      ...title,
      pad: { ...pad, t: (numberIn(pad, "t") ?? 0) + (added === lines.length - 1 ? top : 0) },
    },
    margin: { ...margin, t: (above ?? 64) + lineHeight * size * added },
  };
}

function numberIn(record: unknown, name: string): number | undefined {
  const value = isRecord(record) ? record[name] : undefined;
  return typeof value === "number" ? value : undefined;
}

function titleText(title: unknown): string {
  if (typeof title === "string") return title;
  return isRecord(title) && typeof title["text"] === "string" ? title["text"] : "";
}

const linesIn = (text: string): readonly string[] => text.split(/<br\s*\/?>/i);

/** The line broken between words where it gets wider than `width` pixels. A line with tags stays whole. */
function wrapped(line: string, size: number, width: number): readonly string[] {
  if (line.includes("<")) return [line];
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (current === "" || textWidth(longer, { size }) <= width) current = longer;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current];
}
