import type { ColumnTable } from "arquero";
import type { LikelihoodSurface } from "../clv/convergence-doctor.js";
import type { AliveHistory, CustomerMatrix, TraitDensity } from "../clv/validation.js";
import { requireLevel } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import type { TimeUnit } from "../core/types.js";
import { gini, lorenzCurve, topShare } from "../segmentation/concentration.js";
import type { Figure, Trace } from "./figure.js";
import { numbersOf, textsOf } from "./read.js";
import { lorenzFigure, type MoneyText } from "./segmentation.js";
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

/**
 * Heat map of expected purchases over repeat purchases and the time of the last one: the darker, the more a customer is
 * expected to buy in the next `horizon` units of time. Impossible cells (only one of the two is 0) stay blank.
 * @throws DataError if x or recency does not rise, no cell is possible, a row is missing, or a value is no number.
 * @throws RangeError if the horizon is not above 0.
 * @see Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, J. Marketing Research 42(4).
 */
export function frequencyRecencyFigure(
  matrix: CustomerMatrix & { readonly horizon: number },
  text: FigureText = {},
): Figure {
  requireHorizon(matrix.horizon);
  const period = `the next ${matrix.horizon} ${matrix.unit}`;
  const z = possibleCells(matrix, "purchases by frequency and recency");
  return matrixFigure(matrix, z, text, {
    name: "expected purchases",
    scale: `expected purchases in ${period}`,
    write: (value) => (value < 0.005 ? "under 0.01" : threeDigits(value)),
    say: (written) => `${written} more expected`,
    cell: `%{z:.2f} purchases expected in ${period}`,
  });
}

/**
 * Heat map of the probability that a customer is still one, over repeat purchases and the time of the last one, with
 * the line of 50%. Impossible cells (only one of the two is 0) stay blank.
 * @throws DataError if x or recency does not rise, no cell is possible, a row is missing, or a value is no number from 0 to 1.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2).
 */
export function probabilityAliveFigure(matrix: CustomerMatrix, text: FigureText = {}): Figure {
  const place = "P(alive) by frequency and recency";
  const z = possibleCells(matrix, place);
  for (const row of z) {
    for (const value of row) if (value !== null) requireShare(place, "P(alive)", value);
  }
  const half: Trace = {
    type: "contour",
    name: "50%",
    x: matrix.x,
    y: matrix.recency,
    z,
    contours: { start: 0.5, end: 0.5, size: 1, coloring: "none", showlabels: true, labelformat: ".0%" },
    line: { color: palette.red, width: 2 },
    hoverinfo: "skip",
    showscale: false,
  };
  return matrixFigure(matrix, z, text, {
    name: "P(alive)",
    scale: "P(alive)",
    write: (value) => (value < 0.0005 ? "under 0.1%" : percent(value)),
    say: (written) => `P(alive) ${written}`,
    cell: "P(alive) %{z:.1%}",
    colors: { zmin: 0, zmax: 1 },
    colorbar: { tickformat: ".0%" },
    above: [half],
  });
}

const onThe = { days: "on day", weeks: "in week" } as const satisfies Record<TimeUnit, string>;

/** How the values of a matrix are named and written. */
interface MatrixLook {
  readonly name: string;
  /** Title of the colour scale, unit included. */
  readonly scale: string;
  /** A value in the title. */
  readonly write: (value: number) => string;
  /** A written value with its meaning. */
  readonly say: (written: string) => string;
  /** The value where the mouse points. */
  readonly cell: string;
  readonly colors?: Readonly<Record<string, unknown>>;
  readonly colorbar?: Readonly<Record<string, unknown>>;
  readonly above?: readonly Trace[];
}

function matrixFigure(
  matrix: CustomerMatrix,
  z: readonly (readonly (number | null)[])[],
  text: FigureText,
  look: MatrixLook,
): Figure {
  return figureOf(
    [
      {
        type: "heatmap",
        name: look.name,
        x: matrix.x,
        y: matrix.recency,
        z,
        colorscale: sequential,
        ...look.colors,
        colorbar: {
          title: { text: look.scale, side: "right" },
          thickness: 14,
          outlinewidth: 0,
          ...look.colorbar,
        },
        hovertemplate: `%{x} repeat purchases, the last ${onThe[matrix.unit]} %{y}<br>${look.cell}<extra></extra>`,
        hoverongaps: false,
      },
      ...(look.above ?? []),
    ],
    {
      title: text.title ?? matrixFinding(matrix, z, look),
      source: text.source,
      height: 460,
      axes: {
        xaxis: axis("repeat purchases", { showgrid: false, zeroline: false }),
        yaxis: axis(`last purchase (${matrix.unit} after the first)`, { showgrid: false, zeroline: false }),
      },
    },
  );
}

/** What silence does to the most frequent customers: their last purchase at the end, or about half of the time before. */
function matrixFinding(
  { x, recency, unit }: CustomerMatrix,
  z: readonly (readonly (number | null)[])[],
  { write, say }: MatrixLook,
): string {
  const column = x.length - 1;
  const possible = recency.flatMap((time, row) => {
    const value = z[row]?.[column];
    return typeof value === "number" ? [{ time, value }] : [];
  });
  const latest = possible[possible.length - 1] as (typeof possible)[number]; // possibleCells made sure of one
  const fromHalf = ({ time }: { readonly time: number }): number => Math.abs(time - latest.time / 2);
  const silent = possible.reduce((best, cell) => (fromHalf(cell) < fromHalf(best) ? cell : best), latest);
  const when = (time: number): string => `${onThe[unit]} ${threeDigits(time)}`;
  const active = `${String(x[column])} repeat purchases: ${say(write(latest.value))} if the last was ${when(latest.time)}`;
  return silent === latest ? active : `${active}, ${write(silent.value)} if ${when(silent.time)}`;
}

/** The values of a matrix with null where no customer can be. */
function possibleCells(matrix: CustomerMatrix, place: string): (number | null)[][] {
  const { x, recency, values } = matrix;
  requireRising(place, "x", x);
  requireRising(place, "recency", recency);
  requireRows(place, "recency", recency, values);
  const isPossible = (count: number, time: number): boolean => (count === 0) === (time === 0);
  if (!recency.some((time) => isPossible(x[x.length - 1] ?? 0, time))) {
    throw new DataError(
      `${place}: the largest x must go with a recency, got x ${String(x[x.length - 1])} and recency ${recency.join(", ")}`,
    );
  }
  return recency.map((time, row) =>
    x.map((count, column) =>
      isPossible(count, time)
        ? requireNumber(place, `value at x ${count}, recency ${time}`, values[row]?.[column])
        : null,
    ),
  );
}

/**
 * P(alive) of one customer over time: it falls while the customer is silent and jumps up with every purchase (marked).
 * @throws DataError if times do not rise, their number is not that of the probabilities, a probability is not from 0 to 1,
 * or a purchase lies after the last time.
 */
export function aliveHistoryFigure(history: AliveHistory, text: FigureText = {}): Figure {
  const place = "P(alive) history";
  const { time, alive, purchases, unit } = history;
  requireRising(place, "time", time);
  requireLength(place, "alive", time, alive);
  for (const share of alive) requireShare(place, "alive", share);
  const singular = unit.slice(0, -1);
  const end = time[time.length - 1] ?? 0;
  for (const purchase of purchases) {
    if (!(purchase >= 0 && purchase <= end)) {
      throw new DataError(`${place}: purchases must lie from ${singular} 0 to ${end}, got ${purchase}`);
    }
  }
  const now = `P(alive) is ${percent(alive[alive.length - 1] ?? 0)} ${onThe[unit]} ${threeDigits(end)}`;
  const silence = end - Math.max(...purchases);
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines",
        name: "P(alive)",
        x: time,
        y: alive,
        line: { color: palette.blue, width: 3 },
        hovertemplate: `${singular} %{x}: P(alive) %{y:.1%}<extra></extra>`,
      },
      {
        type: "scatter",
        mode: "markers",
        name: "purchase",
        x: purchases,
        y: purchases.map(() => 0),
        cliponaxis: false,
        marker: { color: palette.red, symbol: "triangle-up", size: 11 },
        hovertemplate: `purchase ${onThe[unit]} %{x}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        (purchases.length === 0 ? now : `${now}, ${threeDigits(silence)} ${unit} after the last purchase`),
      source: text.source,
      legend: true,
      axes: {
        xaxis: axis(`time since the first purchase (${unit})`, { showgrid: false, range: [0, end] }),
        yaxis: shareAxis("P(alive)", { range: [0, 1.03] }),
      },
      extra: {
        shapes: purchases.map((purchase) => ({
          type: "line",
          layer: "below",
          x0: purchase,
          x1: purchase,
          y0: 0,
          y1: 1,
          line: { color: palette.rule, width: 1 },
        })),
      },
    },
  );
}

/**
 * Densities of customers' traits (buying rate, dropout) side by side, each with its mean: how unlike customers are.
 * @throws DataError if there is no trait, its values do not rise, or a density is not a number from 0 up.
 */
export function heterogeneityFigure(traits: readonly TraitDensity[], text: FigureText = {}): Figure {
  if (traits.length === 0) throw new DataError("heterogeneity: at least one trait is needed, got none");
  const colors = [palette.blue, palette.red, palette.green];
  const gap = 0.12;
  const width = (1 - gap * (traits.length - 1)) / traits.length;
  const panels = traits.map((trait, index) => {
    requireTrait(trait);
    const suffix = index === 0 ? "" : String(index + 1);
    const left = index * (width + gap);
    const [from = 0, to = 0] = [trait.x[0], trait.x[trait.x.length - 1]];
    const place = { xref: `x${suffix}`, yref: `y${suffix} domain`, x: trait.mean };
    const label = {
      ...place,
      y: 1,
      text: `mean ${threeDigits(trait.mean)}`,
      showarrow: false,
      ...(trait.mean > (from + to) / 2 ? { xanchor: "right", xshift: -4 } : { xanchor: "left", xshift: 4 }),
    };
    const line = { color: palette.ink, width: 1, dash: "dash" };
    return {
      trace: {
        type: "scatter",
        mode: "lines",
        name: trait.name,
        x: trait.x,
        y: trait.density,
        xaxis: `x${suffix}`,
        yaxis: `y${suffix}`,
        fill: "tozeroy",
        line: { color: colors[index % colors.length], width: 2 },
        hovertemplate: `${trait.name} %{x:.3g}: density %{y:.3g}<extra></extra>`,
      } satisfies Trace,
      axes: {
        [`xaxis${suffix}`]: axis(titleOf(trait), {
          domain: [left, left + width],
          anchor: `y${suffix}`,
          rangemode: "tozero",
        }),
        [`yaxis${suffix}`]: axis(index === 0 ? "density over customers" : "", {
          anchor: `x${suffix}`,
          rangemode: "tozero",
        }),
      },
      label,
      shape: { ...place, type: "line", x0: trait.mean, x1: trait.mean, y0: 0, y1: 1, line },
    };
  });
  const means = traits.map(({ name, mean, unit }) => `${name} ${threeDigits(mean)}${unit ? ` ${unit}` : ""}`);
  return figureOf(
    panels.map(({ trace }) => trace),
    {
      title: text.title ?? `Customers differ; on average: ${means.join(", ")}`,
      source: text.source,
      axes: Object.assign({}, ...panels.map(({ axes }) => axes)) as Record<string, unknown>,
      extra: {
        annotations: panels.map(({ label }) => label),
        shapes: panels.map(({ shape }) => shape),
      },
    },
  );
}

const titleOf = ({ name, unit }: TraitDensity): string => (unit === undefined ? name : `${name} (${unit})`);

function requireTrait({ name, x, density, mean }: TraitDensity): void {
  const place = `heterogeneity: ${name}`;
  requireRising(place, "x", x);
  requireLength(place, "density", x, density);
  requireNumber(place, "mean", mean);
  for (const [index, value] of density.entries()) {
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new DataError(
        `${place}: density at ${String(x[index])} must be a number from 0 up, got ${value}`,
      );
    }
  }
}

/** Falls of the log-likelihood that bound regions: half of the 95% points of chi-square with 1 and 2 degrees of freedom. */
const contourLevels = [
  { drop: -1.92, name: "1.92 (95%, one parameter)", color: palette.ink, dash: "solid", width: 3 },
  { drop: -3, name: "3 (95%, both)", color: palette.blue, dash: "dash", width: 2 },
  { drop: -10, name: "10", color: palette.sky, dash: "solid", width: 2 },
  { drop: -50, name: "50", color: palette.grey, dash: "dot", width: 2 },
] as const;

/**
 * Contours of the log-likelihood over two parameters on logarithmic axes, as falls from its maximum, to four decimals: a
 * long narrow region is a ridge along which the data do not tell the parameters apart.
 * @throws DataError if parameters are not above 0 and rising, a row is missing, a value is no number, or a cell is more
 * likely than the estimate.
 * @see Venzon & Moolgavkar (1988), A Method for Computing Profile-Likelihood-Based Confidence Intervals, Applied Statistics 37(1).
 */
export function likelihoodContourFigure(grid: LikelihoodSurface, text: FigureText = {}): Figure {
  const { aName, bName, a, b, estimate, ridge } = grid;
  const drops = likelihoodDrops(grid);
  return figureOf(
    [
      ...contourLevels.map(
        ({ drop, name, color, dash, width }, index): Trace => ({
          type: "contour",
          name,
          x: a,
          y: b,
          z: drops,
          contours: { start: drop, end: drop, size: 1, coloring: "none" },
          line: { color, dash, width },
          showlegend: true,
          showscale: false,
          ...(index === 0
            ? {
                hovertemplate: `${aName} %{x:.3g}, ${bName} %{y:.3g}<br>log-likelihood %{z:.2f}<extra></extra>`,
              }
            : { hoverinfo: "skip" }),
        }),
      ),
      {
        type: "scatter",
        mode: "markers",
        name: "estimate",
        x: [estimate.a],
        y: [estimate.b],
        marker: { color: palette.red, symbol: "x", size: 11 },
        hovertemplate: `estimate: ${aName} %{x:.4g}, ${bName} %{y:.4g}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ?? (ridge === "" ? likelyRange(grid, drops) : `Hardly determined by the data: ${ridge}`),
      source: text.source,
      height: 460,
      axes: {
        xaxis: logAxis(aName, a),
        yaxis: logAxis(bName, b),
      },
      extra: { showlegend: true, legend: { title: { text: "log-likelihood below<br>its maximum by" } } },
    },
  );
}

/** A logarithmic axis with ticks at 1, 2, 5, 10, …: only the powers of 10 over a long range, Plotly's own over a short one. */
function logAxis(name: string, values: readonly number[]): Record<string, unknown> {
  const [least = 1, most = 1] = [values[0], values[values.length - 1]];
  const first = Math.floor(Math.log10(least));
  const powers = Array.from({ length: Math.ceil(Math.log10(most)) - first + 1 }, (_, index) => first + index);
  const digits = powers.length > 4 ? [1] : [1, 2, 5];
  const ticks = powers
    .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= least && tick <= most);
  const places = ticks.length < 3 ? {} : { tickmode: "array", tickvals: ticks };
  return axis(`${name} (log scale)`, { type: "log", tickformat: "~g", ...places });
}

function likelihoodDrops({ aName, bName, a, b, logLikelihood, estimate }: LikelihoodSurface): number[][] {
  const place = "likelihood contours";
  requireRising(place, aName, a, Number.MIN_VALUE);
  requireRising(place, bName, b, Number.MIN_VALUE);
  requireRows(place, bName, b, logLikelihood);
  const tolerance = 1e-9 * Math.abs(estimate.logLikelihood); // rounding of two sums over the same customers
  return b.map((second, row) =>
    a.map((first, column) => {
      const cell = `log-likelihood at ${aName} ${first}, ${bName} ${second}`;
      const value = requireNumber(place, cell, logLikelihood[row]?.[column]);
      if (value > estimate.logLikelihood + tolerance) {
        throw new DataError(
          `${place}: ${cell} must be at most that of the estimate, ${estimate.logLikelihood}, got ${value}`,
        );
      }
      return Math.round((value - estimate.logLikelihood) * 1e4) / 1e4 + 0; // no -0, which JSON does not keep
    }),
  );
}

/** Where the 95% region of each parameter reaches on the grid, in words; "below" and "above" where it reaches the edge. */
function likelyRange({ aName, bName, a, b, estimate }: LikelihoodSurface, drops: number[][]): string {
  const isInside = (drop = Number.NEGATIVE_INFINITY): boolean => drop >= contourLevels[0].drop;
  const aInside = a.filter((_, column) => drops.some((row) => isInside(row[column])));
  const bInside = b.filter((_, row) => drops[row]?.some((drop) => isInside(drop)));
  const range = (name: string, grid: readonly number[], inside: readonly number[]): string => {
    const [least, most] = [Math.min(...inside), Math.max(...inside)];
    const from = `${least === grid[0] ? "below " : ""}${least.toPrecision(2)}`;
    return `${name} ${from} to ${most === grid[grid.length - 1] ? "above " : ""}${most.toPrecision(2)}`;
  };
  const ranges = [range(aName, a, [...aInside, estimate.a]), range(bName, b, [...bInside, estimate.b])];
  return `95% regions on this grid: ${ranges.join(", ")}`;
}

/**
 * Lorenz curve of customer lifetime values: how much of customer equity the customers with the lowest values hold.
 * `values` has one value a customer.
 * @throws DataError if a value is negative or no number, or all are 0.
 */
export function customerEquityLorenzFigure(values: ArrayLike<number>, text: MoneyText): Figure {
  const curve = lorenzCurve(values);
  const equity = thousands(sum(Array.from(values)));
  const title =
    text.title ??
    `The top 20% of customers hold ${percent(topShare(values, 0.2))} of the customer equity of ${equity} ${text.currency}`;
  const { data, layout } = lorenzFigure(curve, gini(values), { ...text, title });
  const ends = { range: [0, 1] };
  return {
    data: data.map((trace) =>
      trace["hovertemplate"] === undefined
        ? trace
        : {
            ...trace,
            hovertemplate: "the lowest %{x:.1%} of customers<br>hold %{y:.1%} of equity<extra></extra>",
          },
    ),
    layout: {
      ...layout,
      xaxis: shareAxis("share of customers, lowest value first", ends),
      yaxis: shareAxis("share of customer equity", ends),
    },
  };
}

/**
 * Lifetime value a customer by segment with its interval; the segment's total value and share stand on the right.
 * Columns: `segment`, `customers`, `value` (a customer), `low` and `high` (interval of the value); no row for the whole.
 * @throws DataError if a column is missing, the table is empty, a value is no number, an interval ends before it starts,
 * or the values of all customers do not add up to more than 0.
 */
export function segmentEquityFigure(segments: ColumnTable, text: MoneyText): Figure {
  const place = "equity by segment";
  const segment = textsOf(segments, "segment", place);
  const customers = numbersOf(segments, "customers", place);
  const value = numbersOf(segments, "value", place);
  const bars = intervalTrace(segments, ["low", "high"], segment, place);
  const totals = value.map((mean, index) => mean * (customers[index] ?? 0));
  const equity = sum(totals);
  if (!(equity > 0)) {
    throw new DataError(`${place}: customers times value must add up to more than 0, got ${equity}`);
  }
  const top = totals.indexOf(Math.max(...totals));
  const share = (index: number): string => percent((totals[index] ?? 0) / equity);
  return figureOf(
    [
      { ...bars, name: "interval" },
      {
        type: "scatter",
        mode: "markers",
        name: "value a customer",
        x: value,
        y: segment,
        customdata: customers,
        marker: { color: palette.blue, size: 10 },
        hovertemplate: `%{y}: %{x:,.2f} ${text.currency} a customer<br>%{customdata:,} customers<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `${segment[top] ?? ""}: ${percent((customers[top] ?? 0) / sum(customers))} of customers, ${share(top)} of customer equity (${thousands(equity)} ${text.currency})`,
      source: text.source,
      legend: true,
      right: 150,
      height: 180 + 34 * segment.length,
      axes: {
        xaxis: axis(`lifetime value a customer (${text.currency})`, { rangemode: "tozero" }),
        yaxis: rowAxis("segment", segment),
      },
      extra: {
        annotations: [
          columnText(`total (${text.currency})`, { yref: "paper", y: 1, yanchor: "bottom" }),
          ...segment.map((name, index) =>
            columnText(`${thousands(totals[index] ?? 0)} (${share(index)})`, { y: name }),
          ),
        ],
      },
    },
  );
}

/** A text in the margin on the right of the plot. */
const columnText = (text: string, place: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  text,
  xref: "paper",
  x: 1,
  xanchor: "left",
  xshift: 10,
  showarrow: false,
  ...place,
});

/** The period a forecast is for. */
export interface ForecastText extends FigureText {
  /** Length of the period ahead, in `unit`. */
  readonly horizon: number;
  /** Unit of time of the horizon. */
  readonly unit: TimeUnit;
  /** Coverage of both intervals; 0.9 if left out. */
  readonly level?: number;
}

/**
 * Customers ranked by expected purchases, each with two intervals: how sure the expectation is, and how many purchases
 * may happen. The second is wider: it holds chance too.
 * Columns: `customer`, `expected`, `low`, `high` (of the expectation), `outcome_low`, `outcome_high`.
 * @throws DataError if a column is missing, the table is empty, a value is no number, or an interval ends before it starts.
 * @throws RangeError if the horizon is not above 0, or the level not between 0 and 1.
 */
export function forecastIntervalFigure(forecasts: ColumnTable, text: ForecastText): Figure {
  const place = "forecast intervals";
  const { horizon, unit, level = 0.9 } = text;
  requireHorizon(horizon);
  requireLevel(level);
  const customer = textsOf(forecasts, "customer", place);
  const expected = numbersOf(forecasts, "expected", place);
  const sure = intervalTrace(forecasts, ["low", "high"], customer, place);
  const possible = intervalTrace(forecasts, ["outcome_low", "outcome_high"], customer, place);
  const order = customer.map((_, row) => row).sort((p, q) => (expected[q] ?? 0) - (expected[p] ?? 0));
  const top = order[0] ?? 0;
  const ends = ({ x }: { readonly x: readonly (number | null)[] }): string =>
    `${threeDigits(x[3 * top] ?? 0)} to ${threeDigits(x[3 * top + 1] ?? 0)}`;
  return figureOf(
    [
      { ...possible, name: `what may happen (${percent(level)})` },
      {
        ...sure,
        name: `expectation (${percent(level)})`,
        mode: "lines",
        line: { color: palette.sky, width: 9 },
      },
      {
        type: "scatter",
        mode: "markers",
        name: "expected",
        x: expected,
        y: customer,
        marker: { color: palette.blue, size: 9 },
        hovertemplate: "%{y}: %{x:.2f} purchases expected<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `${customer[top] ?? ""}: ${threeDigits(expected[top] ?? 0)} purchases expected (${percent(level)} interval ${ends(sure)}), ${ends(possible)} may happen`,
      source: text.source,
      legend: true,
      height: 180 + 30 * customer.length,
      axes: {
        xaxis: axis(`purchases in the next ${horizon} ${unit}`, { rangemode: "tozero" }),
        yaxis: rowAxis(
          "customer",
          order.map((row) => customer[row] ?? ""),
        ),
      },
    },
  );
}

/** A category axis with its first row on top. */
export const rowAxis = (title: string, rows: readonly string[]): Record<string, unknown> =>
  axis(title, {
    type: "category",
    categoryorder: "array",
    categoryarray: rows,
    range: [rows.length - 0.5, -0.5],
    showgrid: false,
  });

/**
 * Intervals of a table as one line a row with marked ends, from the column of lower to that of upper ends.
 * @throws DataError if a column is missing, a value is no number, or an interval ends before it starts.
 */
export function intervalTrace(
  table: ColumnTable,
  [lowColumn, highColumn]: readonly [string, string],
  rows: readonly string[],
  place: string,
): Trace & { readonly x: readonly (number | null)[] } {
  const low = numbersOf(table, lowColumn, place);
  const high = numbersOf(table, highColumn, place);
  const wrong = low.findIndex((from, row) => from > (high[row] ?? from));
  if (wrong !== -1) {
    throw new DataError(
      `${place}: ${highColumn} in row ${wrong + 1} must be at least ${lowColumn}, ${String(low[wrong])}, got ${String(high[wrong])}`,
    );
  }
  return {
    type: "scatter",
    mode: "lines+markers",
    x: low.flatMap((from, row) => [from, high[row] ?? from, null]), // null lifts the pen
    y: rows.flatMap((name) => [name, name, null]),
    line: { color: palette.grey, width: 2 },
    marker: { color: palette.grey, symbol: "line-ns-open", size: 12, line: { width: 2 } },
    cliponaxis: false,
    hovertemplate: "%{y}: interval ends at %{x:.3g}<extra></extra>",
  };
}

/** A number for a title or a label: three significant digits, thousands grouped. */
export const threeDigits = (value: number): string =>
  Math.abs(value) >= 100 ? thousands(value) : String(Number(value.toPrecision(3)));

/** Sum of numbers. */
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function requireHorizon(horizon: number): void {
  if (!(horizon > 0 && Number.isFinite(horizon))) {
    throw new RangeError(`horizon must be a number above 0, got ${horizon}`);
  }
}

function requireNumber(place: string, what: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new DataError(`${place}: ${what} must be a number, got ${describe(value)}`);
}

function requireShare(place: string, what: string, value: number): void {
  if (!(value >= 0 && value <= 1)) {
    throw new DataError(`${place}: ${what} must be a number from 0 to 1, got ${value}`);
  }
}

/** @throws DataError if there are no values, or one is below `least` or not above the one before. */
export function requireRising(place: string, name: string, values: readonly number[], least = 0): void {
  if (values.length === 0) throw new DataError(`${place}: ${name} must have at least one value, got none`);
  for (const [index, value] of values.entries()) {
    const before = values[index - 1] ?? Number.NEGATIVE_INFINITY;
    if (!(value >= least && value > before && Number.isFinite(value))) {
      const from = least === 0 ? "from 0 up" : "above 0";
      throw new DataError(
        `${place}: ${name} must be rising numbers ${from}, got ${value} in place ${index + 1}`,
      );
    }
  }
}

function requireLength(
  place: string,
  name: string,
  along: readonly number[],
  values: readonly unknown[],
): void {
  if (values.length !== along.length) {
    throw new DataError(`${place}: ${name} must have ${along.length} values, got ${values.length}`);
  }
}

function requireRows(place: string, name: string, along: readonly number[], rows: readonly unknown[]): void {
  if (rows.length !== along.length) {
    throw new DataError(
      `${place}: there must be ${along.length} rows, one for each ${name}, got ${rows.length}`,
    );
  }
}
