import type { ColumnTable } from "arquero";
import type { Interval } from "../segmentation/bootstrap.js";
import type { LorenzCurve } from "../segmentation/concentration.js";
import type { Figure } from "./figure.js";
import { numbersOf, numbersOrNullOf, textsOf } from "./read.js";
import {
  axis,
  type FigureText,
  figureOf,
  palette,
  percent,
  sequential,
  shareAxis,
  thousands,
} from "./theme.js";

/** A figure about money names its currency, such as "EUR". */
export interface MoneyText extends FigureText {
  readonly currency: string;
}

/**
 * Heat map of recency score against frequency score: the darker, the more revenue a customer of the cell brings on
 * average; the number in the cell counts its customers.
 * `scored` has the columns `r`, `f` and `monetary`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 */
export function segmentMapFigure(scored: ColumnTable, text: MoneyText): Figure {
  const [r, f, monetary] = ["r", "f", "monetary"].map((name) =>
    numbersOf(scored, name, "segment map"),
  ) as Three;
  const bins = [...r, ...f].reduce((most, score) => Math.max(most, score), 1);
  const scores = Array.from({ length: bins }, (_, index) => index + 1);
  const ticks = { tick0: 1, dtick: 1, range: [0.5, bins + 0.5] };
  const count = scores.map(() => scores.map(() => 0));
  const spend = scores.map(() => scores.map(() => 0));
  for (const [row, score] of r.entries()) {
    const [y, x] = [(f[row] ?? 1) - 1, score - 1];
    (count[y] as number[])[x] = cell(count, y, x) + 1;
    (spend[y] as number[])[x] = cell(spend, y, x) + (monetary[row] ?? 0);
  }
  const average = count.map((cells, y) => cells.map((n, x) => (n === 0 ? null : cell(spend, y, x) / n)));
  const best = cell(count, bins - 1, bins - 1);
  const bestShare = cell(spend, bins - 1, bins - 1) / monetary.reduce((sum, value) => sum + value, 0);
  return figureOf(
    [
      {
        type: "heatmap",
        name: "customers",
        x: scores,
        y: scores,
        z: average,
        text: count.map((cells) => cells.map((n) => (n === 0 ? "" : thousands(n)))),
        texttemplate: "%{text}",
        xgap: 2,
        ygap: 2,
        colorscale: sequential,
        colorbar: {
          title: { text: `revenue per customer (${text.currency})`, side: "right" },
          thickness: 14,
          outlinewidth: 0,
        },
        hovertemplate: `recency score %{x}, frequency score %{y}<br>%{text} customers<br>%{z:,.0f} ${text.currency} each<extra></extra>`,
        hoverongaps: false,
      },
    ],
    {
      title:
        text.title ??
        `${percent(best / r.length)} of customers score top on both recency and frequency and bring ${percent(bestShare)} of revenue`,
      source: text.source,
      axes: {
        xaxis: axis(`recency score (${bins} = bought most recently)`, { ...ticks, showgrid: false }),
        yaxis: axis(`frequency score (${bins} = most orders)`, { ...ticks, showgrid: false }),
      },
    },
  );
}

type Three = [number[], number[], number[]];
const cell = (grid: readonly (readonly number[])[], y: number, x: number): number => grid[y]?.[x] ?? 0;

/**
 * Share of customers beside share of revenue, by segment.
 * `profile` is the table of `profileSegments`: `segment`, `customers`, `customer_share`, `revenue_share`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 */
export function segmentShareFigure(profile: ColumnTable, text: FigureText = {}): Figure {
  const segments = textsOf(profile, "segment", "segment shares");
  const customers = numbersOf(profile, "customers", "segment shares");
  const customerShare = numbersOf(profile, "customer_share", "segment shares");
  const revenueShare = numbersOf(profile, "revenue_share", "segment shares");
  const top = indexOfMax(revenueShare);
  const bar = (name: string, x: readonly number[], color: string): Figure["data"][number] => ({
    type: "bar",
    orientation: "h",
    name,
    y: segments,
    x,
    marker: { color },
    customdata: customers,
    hovertemplate: `%{y}: %{x:.1%} of ${name.replace("share of ", "")}<br>%{customdata:,} customers<extra></extra>`,
  });
  return figureOf(
    [
      bar("share of customers", customerShare, palette.sky),
      bar("share of revenue", revenueShare, palette.blue),
    ],
    {
      title:
        text.title ??
        `${segments[top] ?? ""}: ${percent(customerShare[top] ?? 0)} of customers bring ${percent(revenueShare[top] ?? 0)} of revenue`,
      source: text.source,
      legend: true,
      height: 180 + 36 * segments.length,
      axes: {
        xaxis: shareAxis("share of all customers and of all revenue"),
        yaxis: axis("segment", { autorange: "reversed", showgrid: false }),
      },
      extra: { barmode: "group", bargap: 0.25 },
    },
  );
}

/**
 * Lorenz curve of customer revenue with the line of equality.
 * `gini` is the coefficient that belongs to the curve; it stands in the title.
 */
export function lorenzFigure(curve: LorenzCurve, gini: number, text: FigureText = {}): Figure {
  const thin = thinOut(curve, 200);
  const half = curve.revenueShare[curve.customerShare.findIndex((share) => share >= 0.5)] ?? 0;
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines",
        name: "customers",
        x: thin.customerShare,
        y: thin.revenueShare,
        fill: "tozeroy",
        fillcolor: "rgba(0,114,178,0.12)",
        line: { color: palette.blue, width: 3 },
        hovertemplate: "the lowest %{x:.1%} of customers<br>bring %{y:.1%} of revenue<extra></extra>",
      },
      {
        type: "scatter",
        mode: "lines",
        name: "all bring the same",
        x: [0, 1],
        y: [0, 1],
        line: { color: palette.grey, width: 1, dash: "dash" },
        hoverinfo: "skip",
      },
    ],
    {
      title:
        text.title ??
        `The lower half of customers brings ${percent(half)} of revenue: Gini ${gini.toFixed(2)}`,
      source: text.source,
      legend: true,
      axes: {
        xaxis: shareAxis("share of customers, lowest revenue first", { range: [0, 1] }),
        yaxis: shareAxis("share of revenue", { range: [0, 1] }),
      },
    },
  );
}

/** At most about `most` points, ends kept: a curve of 100,000 customers looks the same and fits into a notebook. */
function thinOut({ customerShare, revenueShare }: LorenzCurve, most: number): LorenzCurve {
  const last = customerShare.length - 1;
  const step = Math.max(1, Math.ceil(last / most));
  const keep = customerShare.map((_, index) => index).filter((index) => index % step === 0 || index === last);
  const at = (values: readonly number[]): number[] => keep.map((index) => values[index] ?? 0);
  return { customerShare: at(customerShare), revenueShare: at(revenueShare) };
}

/**
 * Pareto chart of revenue: bars for the share of each tenth of customers, a line for the running total.
 * `deciles` is the table of `revenueDeciles`: `decile`, `customers`, `revenue_share`, `cumulative_share`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 */
export function decileFigure(deciles: ColumnTable, text: FigureText = {}): Figure {
  const decile = numbersOf(deciles, "decile", "revenue deciles");
  const customers = numbersOf(deciles, "customers", "revenue deciles");
  const share = numbersOf(deciles, "revenue_share", "revenue deciles");
  const cumulative = numbersOf(deciles, "cumulative_share", "revenue deciles");
  return figureOf(
    [
      {
        type: "bar",
        name: "share of revenue",
        x: decile,
        y: share,
        marker: { color: palette.blue },
        customdata: customers,
        hovertemplate: "group %{x}: %{customdata:,} customers<br>%{y:.1%} of revenue<extra></extra>",
      },
      {
        type: "scatter",
        mode: "lines+markers",
        name: "running total",
        x: decile,
        y: cumulative,
        line: { color: palette.red, width: 2 },
        hovertemplate: "groups 1 to %{x}: %{y:.1%} of revenue<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `The top ${percent(1 / decile.length)} of customers bring ${percent(share[0] ?? 0)} of revenue`,
      source: text.source,
      legend: true,
      axes: {
        xaxis: axis(`customers by revenue, in ${decile.length} equal groups (1 = highest)`, {
          dtick: 1,
          showgrid: false,
        }),
        yaxis: shareAxis("share of revenue", { range: [0, 1.02] }),
      },
    },
  );
}

/**
 * How recency, frequency and monetary value are distributed: three histograms side by side. Customers beyond the 99th
 * percentile are counted in the last bar.
 * `customers` is the table of `rfmTable`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 */
export function rfmDistributionFigure(customers: ColumnTable, text: MoneyText): Figure {
  const panels = [
    {
      column: "recency_days",
      name: "recency",
      title: "days since last purchase",
      whole: true,
      color: palette.blue,
    },
    { column: "frequency", name: "frequency", title: "purchases", whole: true, color: palette.green },
    {
      column: "monetary",
      name: "monetary",
      title: `revenue (${text.currency})`,
      whole: false,
      color: palette.red,
    },
  ].map((panel) => ({ ...panel, values: numbersOf(customers, panel.column, "RFM distributions") }));
  const once =
    (panels[1]?.values ?? []).filter((count) => count === 1).length / (panels[1]?.values.length ?? 1);
  const median = sortedMiddle(panels[0]?.values ?? []);
  return figureOf(
    panels.map(({ name, values, whole, color }, index) => {
      const bars = histogram(values, 20, whole);
      return {
        type: "bar",
        name,
        x: bars.map(({ from, to }) => (from + to) / 2),
        y: bars.map(({ count }) => count),
        width: bars.map(({ from, to }) => (to - from) * 0.92),
        customdata: bars.map(({ label }) => label),
        marker: { color },
        xaxis: index === 0 ? "x" : `x${index + 1}`,
        yaxis: index === 0 ? "y" : `y${index + 1}`,
        hovertemplate: `${name} %{customdata}: %{y:,} customers<extra></extra>`,
      };
    }),
    {
      title:
        text.title ??
        `${percent(once)} of customers bought only once; half of all bought within the last ${thousands(median)} days`,
      source: text.source,
      axes: Object.fromEntries(
        panels.flatMap(({ title }, index) => {
          const suffix = index === 0 ? "" : String(index + 1);
          const left = index * 0.35;
          return [
            [
              `xaxis${suffix}`,
              axis(title, {
                domain: [left, left + 0.28],
                anchor: `y${suffix}`,
                showgrid: false,
                rangemode: "tozero",
              }),
            ],
            [
              `yaxis${suffix}`,
              axis(index === 0 ? "customers" : "", {
                anchor: `x${suffix}`,
                rangemode: "tozero",
                automargin: false,
              }),
            ],
          ];
        }),
      ),
    },
  );
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly label: string;
}

/** Bars of equal width up to the 99th percentile; the last one takes everything beyond. */
function histogram(values: readonly number[], most: number, whole: boolean): readonly Bar[] {
  const sorted = [...values].sort((a, b) => a - b);
  const from = Math.min(0, Math.floor(sorted[0] ?? 0));
  const to = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 1;
  const width = niceWidth(Math.max(to - from, 1e-9) / most, whole);
  const bars = Math.max(1, Math.min(most, Math.floor((to - from) / width) + 1));
  const counts = new Array<number>(bars).fill(0);
  for (const value of sorted) {
    const bar = Math.min(bars - 1, Math.floor((value - from) / width));
    counts[bar] = (counts[bar] ?? 0) + 1;
  }
  return counts.map((count, index) => {
    const start = from + index * width;
    const end = whole ? start + width - 1 : start + width;
    const last = index === bars - 1 && (sorted[sorted.length - 1] ?? 0) >= start + width;
    const label = last
      ? `${thousands(start)} and more`
      : start === end
        ? thousands(start)
        : `${thousands(start)} to ${thousands(end)}`;
    const shift = whole ? 0.5 : 0; // the bar of one order stands over 1
    return { from: start - shift, to: start + width - shift, count, label };
  });
}

/** The next of 1, 2, 5, 10, … that is at least `least`. */
function niceWidth(least: number, whole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const width = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= least * (1 - 1e-9)) ?? least;
  return whole ? Math.max(1, Math.round(width)) : width;
}

function sortedMiddle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * Heat map of segments against channels (or any other grouping): which share of each segment's customers or revenue a
 * channel holds. Columns: `segment`, `channel`, `share`; a share of null (suppressed small cell) stays blank.
 * @throws DataError if a column is missing, the table is empty, or a pair occurs twice.
 */
export function segmentChannelFigure(
  shares: ColumnTable,
  text: FigureText & { readonly of?: string; readonly channelName?: string } = {},
): Figure {
  const { of = "customers", channelName = "channel" } = text;
  const segment = textsOf(shares, "segment", "segment by channel");
  const channel = textsOf(shares, "channel", "segment by channel");
  const share = numbersOrNullOf(shares, "share", "segment by channel");
  const rows = [...new Set(segment)];
  const columns = [...new Set(channel)];
  const z = rows.map((row) =>
    columns.map(
      (column) =>
        share[segment.findIndex((name, index) => name === row && channel[index] === column)] ?? null,
    ),
  );
  const largest = indexOfMax(share.map((value) => value ?? -1));
  return figureOf(
    [
      {
        type: "heatmap",
        name: `share of ${of}`,
        x: columns,
        y: rows,
        z,
        text: z.map((cells) => cells.map((value) => (value === null ? "" : percent(value)))),
        texttemplate: "%{text}",
        xgap: 2,
        ygap: 2,
        colorscale: sequential,
        zmin: 0,
        colorbar: {
          title: { text: `share of ${of}`, side: "right" },
          tickformat: ".0%",
          thickness: 14,
          outlinewidth: 0,
        },
        hovertemplate: `%{y}, %{x}: %{z:.1%} of the segment's ${of}<extra></extra>`,
        hoverongaps: false,
      },
    ],
    {
      title:
        text.title ??
        `${channel[largest] ?? ""} holds ${percent(share[largest] ?? 0)} of the ${of} of ${segment[largest] ?? ""}`,
      source: text.source,
      height: 180 + 34 * rows.length,
      axes: {
        xaxis: axis(channelName, { showgrid: false, type: "category" }),
        yaxis: axis("segment", { autorange: "reversed", showgrid: false, type: "category" }),
      },
    },
  );
}

/** A share with its bootstrap interval for each size of the top group: how sure "the top 20% bring …" is. */
export function topShareFigure(
  rows: readonly { readonly fraction: number; readonly interval: Interval }[],
  text: FigureText = {},
): Figure {
  const middle = rows[Math.floor(rows.length / 2)];
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines+markers",
        name: "share of revenue",
        x: rows.map(({ fraction }) => fraction),
        y: rows.map(({ interval }) => interval.estimate),
        error_y: {
          type: "data",
          symmetric: false,
          array: rows.map(({ interval }) => interval.high - interval.estimate),
          arrayminus: rows.map(({ interval }) => interval.estimate - interval.low),
          color: palette.grey,
        },
        line: { color: palette.blue, width: 2 },
        hovertemplate: "top %{x:.0%} of customers: %{y:.1%} of revenue<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        (middle
          ? `The top ${percent(middle.fraction)} of customers bring ${percent(middle.interval.low)} to ${percent(middle.interval.high)} of revenue`
          : "Share of revenue of the top customers"),
      source: text.source,
      axes: {
        xaxis: shareAxis("top share of customers by revenue"),
        yaxis: shareAxis(`share of revenue (bars: ${percent(middle?.interval.level ?? 0.9)} interval)`),
      },
    },
  );
}

function indexOfMax(values: readonly number[]): number {
  return values.reduce(
    (best, value, index) => (value > (values[best] ?? Number.NEGATIVE_INFINITY) ? index : best),
    0,
  );
}
