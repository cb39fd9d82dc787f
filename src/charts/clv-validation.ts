import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import type { TimeUnit } from "../core/types.js";
import { intervalTrace, requireRising, rowAxis, sum, threeDigits } from "./clv.js";
import type { Figure, Trace } from "./figure.js";
import { numbersOf, textsOf } from "./read.js";
import {
  axis,
  diagonal,
  type FigureText,
  figureOf,
  palette,
  percent,
  shareAxis,
  thousands,
} from "./theme.js";

/** A model's column with the look that tells it from the others, in grey print too. */
interface ModelColumn {
  readonly name: string;
  readonly values: readonly number[];
  readonly color: string;
  readonly dash: string;
  readonly symbol: string;
}

const looks = [
  { color: palette.blue, dash: "solid", symbol: "circle" },
  { color: palette.red, dash: "dash", symbol: "square" },
  { color: palette.green, dash: "dashdot", symbol: "diamond" },
  { color: palette.purple, dash: "dot", symbol: "triangle-up" },
  { color: palette.orange, dash: "longdash", symbol: "triangle-down" },
  { color: palette.sky, dash: "longdashdot", symbol: "cross" },
] as const;

/** Every column but the known ones holds the numbers of a model. */
function modelColumns(table: ColumnTable, known: readonly string[], place: string): ModelColumn[] {
  const names = table.columnNames().filter((name) => !known.includes(name));
  if (names.length === 0 || names.length > looks.length) {
    throw new DataError(
      `${place}: 1 to ${looks.length} columns of models are needed beside ${known.join(", ")}, got ${names.length}`,
    );
  }
  return looks.slice(0, names.length).map((look, index) => {
    const name = names[index] ?? "";
    return { ...look, name, values: numbersOf(table, name, place) };
  });
}

/** Whether the names fit into one row above the plot (600 pixels); else the legend stands on the right. */
const fitAbove = (models: readonly ModelColumn[]): boolean =>
  sum(["actual", ...models.map(({ name }) => name)].map((name) => 45 + 8 * name.length)) <= 600;

/** The model with the least error, as a title names it: "X comes closest" among several, else "X". */
function closest(
  models: readonly ModelColumn[],
  errorOf: (values: readonly number[]) => number,
): { readonly who: string; readonly error: number; readonly model: ModelColumn } {
  const ranked = models
    .map((model) => ({ model, error: errorOf(model.values) }))
    .sort((p, q) => p.error - q.error);
  const [best] = ranked as [(typeof ranked)[number]];
  return { ...best, who: models.length === 1 ? best.model.name : `${best.model.name} comes closest` };
}

/** Sum of the absolute differences of two columns, weighted if weights are given. */
const distance = (p: readonly number[], q: readonly number[], weights?: readonly number[]): number =>
  sum(p.map((value, row) => Math.abs(value - (q[row] ?? 0)) * (weights?.[row] ?? 1)));

/**
 * How many customers made 0, 1, 2, … repeat purchases in the calibration period, beside what each model expects.
 * Columns: `purchases` (label of the class, such as "0" or "7+"), `actual` (customers), and one column of expected
 * customers a model. The title names the model with the smallest share of customers outside the class it expects them in:
 * half the sum of absolute differences over all customers.
 * @throws DataError if a column is missing, the table is empty, a value is no number, or there are no customers.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2).
 */
export function calibrationHistogramFigure(classes: ColumnTable, text: FigureText = {}): Figure {
  const place = "calibration histogram";
  const purchases = textsOf(classes, "purchases", place);
  const actual = numbersOf(classes, "actual", place);
  const models = modelColumns(classes, ["purchases", "actual"], place);
  const customers = requireSome(place, "actual", actual);
  const best = closest(models, (values) => distance(actual, values) / 2 / customers);
  const bar = (name: string, y: readonly number[], color: string): Trace => ({
    type: "bar",
    name,
    x: purchases,
    y,
    marker: { color },
    hovertemplate: `%{x} repeat purchases: %{y:,.1f} customers (${name})<extra></extra>`,
  });
  return figureOf(
    [
      bar("actual", actual, palette.ink),
      ...models.map(({ name, values, color }) => bar(name, values, color)),
    ],
    {
      title:
        text.title ??
        `${best.who}: ${percent(best.error)} of ${thousands(customers)} customers in a wrong class`,
      source: text.source,
      legend: fitAbove(models),
      axes: {
        xaxis: axis("repeat purchases in the calibration period", { type: "category", showgrid: false }),
        yaxis: axis("customers", { rangemode: "tozero", tickformat: "," }),
      },
      extra: { showlegend: true, barmode: "group", bargap: 0.2 },
    },
  );
}

/**
 * Mean holdout purchases of customers by their number of calibration purchases, beside what each model expected.
 * Columns: `purchases` (label of the class), `customers`, `actual` (mean purchases), and one column a model. The title
 * names the model whose class means are nearest, weighted by customers.
 * @throws DataError if a column is missing, the table is empty, a value is no number, or there are no customers.
 * @see Fader, Hardie & Lee (2005), Counting Your Customers the Easy Way, Marketing Science 24(2).
 */
export function holdoutByFrequencyFigure(classes: ColumnTable, text: FigureText = {}): Figure {
  const place = "holdout by frequency";
  const purchases = textsOf(classes, "purchases", place);
  const customers = numbersOf(classes, "customers", place);
  const actual = numbersOf(classes, "actual", place);
  const models = modelColumns(classes, ["purchases", "customers", "actual"], place);
  const all = requireSome(place, "customers", customers);
  const best = closest(models, (values) => distance(actual, values, customers) / all);
  const line = (look: Omit<ModelColumn, "dash">, dash: string, width: number): Trace => ({
    type: "scatter",
    mode: "lines+markers",
    name: look.name,
    x: purchases,
    y: look.values,
    line: { color: look.color, dash, width },
    marker: { color: look.color, symbol: look.symbol, size: 8 },
    customdata: customers,
    hovertemplate: `%{x} purchases before, %{customdata:,} customers<br>%{y:.2f} holdout purchases each (${look.name})<extra></extra>`,
  });
  return figureOf(
    [
      line({ name: "actual", values: actual, color: palette.ink, symbol: "circle-open" }, "solid", 3),
      ...models.map((model) => line(model, model.dash, 2)),
    ],
    {
      title: text.title ?? `${best.who}: off by ${threeDigits(best.error)} holdout purchases a customer`,
      source: text.source,
      legend: fitAbove(models),
      axes: {
        xaxis: axis("repeat purchases in the calibration period (customers in brackets)", {
          type: "category",
          showgrid: false,
          tickmode: "array",
          tickvals: purchases,
          ticktext: purchases.map((label, row) => `${label}<br>(${thousands(customers[row] ?? 0)})`),
        }),
        yaxis: axis("mean holdout purchases", { rangemode: "tozero" }),
      },
      extra: { showlegend: true },
    },
  );
}

/** What a tracking figure shows. */
export interface TrackingText extends FigureText {
  /** Whether the table holds running totals; else purchases in each unit of time. */
  readonly cumulative: boolean;
  /** Last time of the calibration period. */
  readonly calibrationEnd: number;
  /** Unit of the times. */
  readonly unit: TimeUnit;
}

/**
 * Purchases of all customers over time, actual and as each model expects them, with the end of the calibration period.
 * Columns: `time` (rising), `actual`, and one column a model. The title names the model that does best in the holdout
 * period: for running totals the one nearest at the end, else the one with the least sum of absolute differences, as a
 * share of the actual purchases.
 * @throws DataError if a column is missing, the table is empty, a value is no number, times do not rise, or nothing was
 * bought in the holdout period.
 * @throws RangeError if the calibration period does not end between the first and the last time.
 */
export function trackingFigure(weeks: ColumnTable, text: TrackingText): Figure {
  const place = "tracking";
  const { cumulative, calibrationEnd, unit } = text;
  const time = numbersOf(weeks, "time", place);
  const actual = numbersOf(weeks, "actual", place);
  const models = modelColumns(weeks, ["time", "actual"], place);
  requireRising(place, "time", time);
  const [first = 0, last = 0] = [time[0], time[time.length - 1]];
  if (!(calibrationEnd >= first && calibrationEnd < last)) {
    throw new RangeError(`calibrationEnd must be from ${first} to less than ${last}, got ${calibrationEnd}`);
  }
  const judged = cumulative ? time.length - 1 : time.findIndex((now) => now > calibrationEnd);
  const bought = requireSome(place, "actual after the calibration period", actual.slice(judged));
  const best = closest(models, (values) => distance(actual.slice(judged), values.slice(judged)) / bought);
  const singular = unit.slice(0, -1);
  const trace = (name: string, y: readonly number[], line: object): Trace => ({
    type: "scatter",
    mode: "lines",
    name,
    x: time,
    y,
    line,
    hovertemplate: `${singular} %{x}: %{y:,.1f} purchases (${name})<extra></extra>`,
  });
  const cutOff = { x: calibrationEnd, yref: "y domain", showarrow: false, font: { color: palette.grey } };
  const isAbove = sum(best.model.values.slice(judged)) > bought;
  const finding = cumulative
    ? `${best.who}: ${percent(best.error)} ${isAbove ? "above" : "below"} the actual total at the end`
    : `${best.who}: off by ${percent(best.error)} per holdout ${singular} on average`;
  return figureOf(
    [
      trace("actual", actual, { color: palette.ink, width: 3 }),
      ...models.map(({ name, values, color, dash }) => trace(name, values, { color, dash, width: 2 })),
    ],
    {
      title: text.title ?? finding,
      source: text.source,
      legend: fitAbove(models),
      axes: {
        xaxis: axis(`time (${unit})`, { showgrid: false }),
        yaxis: axis(cumulative ? "purchases so far" : `purchases a ${singular}`, {
          rangemode: "tozero",
          tickformat: ",",
        }),
      },
      extra: {
        showlegend: true,
        shapes: [
          {
            type: "line",
            x0: calibrationEnd,
            x1: calibrationEnd,
            yref: "y domain",
            y0: 0,
            y1: 1,
            line: { color: palette.grey, width: 1, dash: "dash" },
          },
        ],
        annotations: [
          { ...cutOff, y: 0.02, yanchor: "bottom", xanchor: "right", xshift: -4, text: "calibration" },
          { ...cutOff, y: 0.02, yanchor: "bottom", xanchor: "left", xshift: 4, text: "holdout" },
        ],
      },
    },
  );
}

/** How a leaderboard ranks. */
export interface LeaderboardText extends FigureText {
  /** What was measured, unit included: "mean absolute error (purchases)". */
  readonly metric: string;
  /** Which values are better. */
  readonly better: "lower" | "higher";
}

/**
 * Models ranked by one measure with its interval, the best on top; intervals that reach into the band of the best do not
 * settle the order. Columns: `model`, `value`, `low`, `high`.
 * @throws DataError if a column is missing, the table is empty, a value is no number, or an interval ends before it starts.
 */
export function leaderboardFigure(models: ColumnTable, text: LeaderboardText): Figure {
  const place = "leaderboard";
  const model = textsOf(models, "model", place);
  const value = numbersOf(models, "value", place);
  const bars = intervalTrace(models, ["low", "high"], model, place);
  const [low, high] = [numbersOf(models, "low", place), numbersOf(models, "high", place)];
  const sign = text.better === "lower" ? 1 : -1;
  const order = model.map((_, row) => row).sort((p, q) => sign * ((value[p] ?? 0) - (value[q] ?? 0)));
  const [best = 0, ...others] = order;
  const [from = 0, to = 0] = [low[best], high[best]];
  const tied = others.filter((row) => (low[row] ?? 0) <= to && (high[row] ?? 0) >= from);
  const overlap =
    tied.length === 0
      ? "no other interval overlaps its own"
      : `${tied.length} of ${others.length} other intervals overlap its own`;
  return figureOf(
    [
      { ...bars, name: "interval" },
      {
        type: "scatter",
        mode: "markers",
        name: text.metric,
        x: value,
        y: model,
        marker: { color: palette.blue, size: 10 },
        hovertemplate: "%{y}: %{x:.4g}<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        (others.length === 0
          ? `${model[best] ?? ""}: ${text.metric} ${threeDigits(value[best] ?? 0)}`
          : `${model[best] ?? ""} is best (${threeDigits(value[best] ?? 0)}); ${overlap}`),
      source: text.source,
      height: 160 + 34 * model.length,
      axes: {
        xaxis: axis(`${text.metric}, ${text.better} is better`),
        yaxis: rowAxis(
          "model",
          order.map((row) => model[row] ?? ""),
        ),
      },
      extra: {
        shapes: [
          {
            type: "rect",
            layer: "below",
            x0: from,
            x1: to,
            yref: "y domain",
            y0: 0,
            y1: 1,
            line: { width: 0 },
            fillcolor: "rgba(0,114,178,0.10)",
          },
        ],
      },
    },
  );
}

/** What belongs to a calibration chart beside the deciles. */
export interface CalibrationText extends FigureText {
  /** Slope of actual on predicted purchases over all customers; 1 is ideal, less means that predictions are too far apart. */
  readonly slope?: number;
}

/**
 * Mean actual against mean predicted holdout purchases in groups of customers of equal size by prediction (deciles), with
 * the diagonal on which a calibrated model lies.
 * Columns: `decile` (1 = highest prediction), `customers`, `predicted`, `actual` (means a customer).
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 * @throws RangeError if the slope is no number.
 */
export function calibrationSlopeFigure(deciles: ColumnTable, text: CalibrationText = {}): Figure {
  const place = "calibration by decile";
  const decile = textsOf(deciles, "decile", place);
  const customers = numbersOf(deciles, "customers", place);
  const predicted = numbersOf(deciles, "predicted", place);
  const actual = numbersOf(deciles, "actual", place);
  const top = predicted.indexOf(Math.max(...predicted));
  const most = Math.max(...predicted, ...actual);
  const { slope } = text;
  if (slope !== undefined && !Number.isFinite(slope)) {
    throw new RangeError(`slope must be a number, got ${slope}`);
  }
  const inWords = slope === undefined ? "" : `; calibration slope ${slope.toFixed(2)}`;
  return figureOf(
    [
      diagonal(most),
      {
        type: "scatter",
        mode: "lines+markers+text",
        name: "groups of customers (1 = highest prediction)",
        x: predicted,
        y: actual,
        text: labelsApart(decile, predicted, 0.05 * most),
        textposition: "top center",
        customdata: decile.map((group, row) => [group, customers[row] ?? 0]),
        cliponaxis: false,
        line: { color: palette.blue, width: 2 },
        marker: { color: palette.blue, size: 9 },
        hovertemplate:
          "group %{customdata[0]}, %{customdata[1]:,} customers<br>%{x:.2f} predicted, %{y:.2f} actual<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `The top group made ${threeDigits(actual[top] ?? 0)} purchases a customer, predicted ${threeDigits(predicted[top] ?? 0)}${inWords}`,
      source: text.source,
      legend: true,
      height: 460,
      axes: {
        xaxis: axis("mean holdout purchases, predicted", { range: [0, 1.05 * most] }),
        yaxis: axis("mean holdout purchases, actual", { range: [0, 1.05 * most] }),
      },
    },
  );
}

/** The labels of points that have no earlier labelled one nearer than `gap`, "" for the others. */
function labelsApart(labels: readonly string[], places: readonly number[], gap: number): string[] {
  const labelled: number[] = [];
  return labels.map((label, row) => {
    const place = places[row] ?? 0;
    if (labelled.some((other) => Math.abs(other - place) < gap)) return "";
    labelled.push(place);
    return label;
  });
}

/** What a gains chart says about itself. */
export interface GainsText extends FigureText {
  /** What was predicted and then counted, in the plural: "holdout purchases", the default, or "leavers", "visits". */
  readonly outcome?: string;
}

/**
 * Cumulative gains: for which share of what was predicted (holdout purchases, leavers) the top share of customers
 * accounts, ranked by each model, between ranking at random (the diagonal) and in hindsight (`perfect`). The legend gives each
 * model's normalised Gini: its area above the diagonal over that of the perfect ranking.
 * Columns: `customers` (share, from 0 to 1, rising), `perfect`, and one column a model, all shares from 0 at 0 to 1 at 1.
 * @throws DataError if a column is missing, the table is empty, a value is no number, a curve does not run from 0 to 1, or
 * `perfect` is no better than the diagonal.
 */
export function gainsFigure(gains: ColumnTable, text: GainsText = {}): Figure {
  const place = "cumulative gains";
  const { outcome = "holdout purchases" } = text;
  const customers = numbersOf(gains, "customers", place);
  const perfect = numbersOf(gains, "perfect", place);
  const models = modelColumns(gains, ["customers", "perfect"], place);
  requireRising(place, "customers", customers);
  for (const { name, values } of [
    { name: "customers", values: customers },
    { name: "perfect", values: perfect },
    ...models,
  ]) {
    const [first = 1, last = 0] = [values[0], values[values.length - 1]];
    if (Math.max(Math.abs(first), Math.abs(last - 1)) > 1e-9) {
      throw new DataError(`${place}: ${name} must run from 0 to 1, got ${first} to ${last}`);
    }
  }
  const reach = areaAboveDiagonal(customers, perfect);
  if (!(reach > 0))
    throw new DataError(`${place}: perfect must be above the diagonal, got an area of ${reach}`);
  const normalisedGini = (values: readonly number[]): number => areaAboveDiagonal(customers, values) / reach;
  const best = closest(models, (values) => 1 - normalisedGini(values));
  const line = (name: string, y: readonly number[], look: object): Trace => ({
    type: "scatter",
    mode: "lines",
    name,
    x: customers,
    y,
    line: look,
    hovertemplate: `top %{x:.0%} of customers: %{y:.1%} of ${outcome}<extra></extra>`,
  });
  return figureOf(
    [
      line("perfect", perfect, { color: palette.ink, width: 1 }),
      ...models.map(({ name, values, color, dash }) =>
        line(`${name} (${normalisedGini(values).toFixed(3)})`, values, { color, dash, width: 2 }),
      ),
      { ...line("at random", customers, { color: palette.grey, width: 1, dash: "dash" }), hoverinfo: "skip" },
    ],
    {
      title:
        text.title ??
        `The top 10% of customers by ${best.model.name} account for ${percent(at(customers, best.model.values, 0.1))} of the ${outcome}: normalised Gini ${(1 - best.error).toFixed(3)}`,
      source: text.source,
      height: 460,
      axes: {
        xaxis: shareAxis("share of customers, highest prediction first", { range: [0, 1] }),
        yaxis: shareAxis(`share of ${outcome}`, { range: [0, 1.01] }),
      },
      // No curve runs through the corner below the diagonal.
      extra: { showlegend: true, legend: { x: 0.99, xanchor: "right", y: 0.02, yanchor: "bottom" } },
    },
  );
}

/** Area between a curve and the diagonal, by trapezia. */
const areaAboveDiagonal = (x: readonly number[], y: readonly number[]): number =>
  sum(
    x
      .slice(1)
      .map((right, index) => ((right - (x[index] ?? 0)) * ((y[index] ?? 0) + (y[index + 1] ?? 0))) / 2),
  ) - 0.5;

/** A curve's value between two of its points. */
function at(x: readonly number[], y: readonly number[], place: number): number {
  const right = x.findIndex((value) => value >= place);
  const [x0 = 0, x1 = 1] = [x[right - 1], x[right]];
  const [y0 = 0, y1 = 1] = [y[right - 1], y[right]];
  return y0 + ((place - x0) / (x1 - x0)) * (y1 - y0);
}

/** The sum of a column that cannot be all 0. */
function requireSome(place: string, name: string, values: readonly number[]): number {
  const total = sum(values);
  if (total > 0) return total;
  throw new DataError(`${place}: ${name} must add up to more than 0, got ${total}`);
}
