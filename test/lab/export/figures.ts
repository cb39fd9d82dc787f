import { randomSource } from "../../../src/index.js";
import type { Figure } from "../../../src/lab/export/figure-look.js";

const segments = ["Champions of the roastery", "At risk of leaving soon", "New", "Lost", "Bargain hunters"];
const quarters = ["Q1", "Q2", "Q3", "Q4"];
const random = randomSource(7);
const values = (count: number): number[] =>
  Array.from({ length: count }, () => random.uniform() + random.uniform());
const surface = Array.from({ length: 6 }, (_, y) =>
  Array.from({ length: 8 }, (_, x) => Math.sin(y / 2) + x / 4),
);

const titled = (text: string, layout: Record<string, unknown> = {}): Record<string, unknown> => ({
  title: { text },
  ...layout,
});

/** One figure of each kind that studies show. */
export const figures: Readonly<Record<string, Figure>> = {
  bar: { data: [{ type: "bar", x: segments, y: [24, 20, 30, 5, 12] }], layout: titled("Spend by segment") },
  "grouped bar": {
    data: [
      { type: "bar", x: quarters, y: [24, 20, 30, 31], name: "Web shop" },
      { type: "bar", x: quarters, y: [14, 22, 20, 11], name: "Stores and call centre" },
    ],
    layout: titled("Revenue by quarter", { barmode: "group" }),
  },
  line: {
    data: [
      { type: "scatter", mode: "lines+markers", x: [1, 2, 3], y: [1, 0.8, 0.7], name: "observed" },
      { type: "scatter", mode: "lines", x: [1, 2, 3], y: [1, 0.75, 0.6], name: "model" },
    ],
    layout: titled("Retention<br>climbs", { yaxis: { tickformat: ".0%" } }),
  },
  bubble: {
    data: [
      {
        type: "scatter",
        mode: "markers",
        x: [1, 2],
        y: [3, 4],
        marker: { size: [10, 40], color: [1, 2], showscale: true },
      },
    ],
    layout: titled("Bubbles"),
  },
  "heat map": {
    data: [
      {
        type: "heatmap",
        z: surface,
        xgap: 2,
        ygap: 2,
        colorbar: { title: { text: "share", side: "right" } },
      },
    ],
    layout: titled("Heat map"),
  },
  "smooth heat map": { data: [{ type: "heatmap", z: surface, zsmooth: "best" }], layout: titled("Smooth") },
  contour: {
    data: [{ type: "contour", z: surface, contours: { coloring: "heatmap", showlabels: true } }],
    layout: titled("Contour"),
  },
  sankey: {
    data: [
      {
        type: "sankey",
        node: { label: ["New", "Loyal", "Lost"] },
        link: { source: [0, 0], target: [1, 2], value: [3, 5] },
      },
    ],
    layout: titled("Where they went"),
  },
  histogram: { data: [{ type: "histogram", x: values(200) }], layout: titled("Order values") },
  box: { data: [{ type: "box", y: values(60), name: "web" }], layout: titled("Box") },
  violin: { data: [{ type: "violin", y: values(60), points: "all" }], layout: titled("Violin") },
  waterfall: {
    data: [
      {
        type: "waterfall",
        x: ["2023", "new", "churn", "2024"],
        measure: ["absolute", "relative", "relative", "total"],
        y: [10, 4, -3, 0],
      },
    ],
    layout: titled("Bridge"),
  },
  "stacked area": {
    data: ["web", "store"].map((name) => ({ type: "scatter", stackgroup: "a", name, y: [1, 2, 3] })),
    layout: titled("Area"),
  },
  annotations: {
    data: [{ type: "scatter", y: [0, 3, 1] }],
    layout: titled("Notes", {
      annotations: [{ x: 1, y: 3, text: "promotion<br>in week 1", showarrow: true, arrowhead: 2 }],
      shapes: [{ type: "rect", x0: 0, x1: 1, y0: 0, y1: 1, yref: "paper", fillcolor: "rgba(0,0,0,0.1)" }],
    }),
  },
  subplots: {
    data: [
      { type: "bar", x: ["a"], y: [1] },
      { type: "scatter", y: [1, 2], xaxis: "x2", yaxis: "y2" },
    ],
    layout: titled("Panels", { grid: { rows: 1, columns: 2, pattern: "independent" } }),
  },
  funnel: { data: [{ type: "funnel", y: ["Visitors", "Customers"], x: [100, 4] }], layout: titled("Funnel") },
  pie: { data: [{ type: "pie", labels: ["A", "B"], values: [3, 1] }], layout: titled("Pie") },
};
