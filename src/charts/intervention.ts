import type { ColumnTable } from "arquero";
import type { TargetingComparison } from "../strategy/intervention.js";
import {
  type AmountArm,
  type SavedCurveInterval,
  type SavedCurveParameters,
  savedShare,
} from "../strategy/saved-curve.js";
import type { UpliftTrial } from "../strategy/trial-uplift.js";
import { requireRising } from "./clv.js";
import type { Figure, Trace } from "./figure.js";
import { numbersOf } from "./read.js";
import type { MoneyText } from "./segmentation.js";
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

const ruleLooks: Readonly<Record<string, object>> = {
  "expected profit": { color: palette.ink, width: 2 },
  "uplift x value": { color: palette.blue, width: 2 },
  uplift: { color: palette.green, width: 2 },
  "churn risk x value": { color: palette.orange, width: 2, dash: "dash" },
  "churn risk": { color: palette.red, width: 2, dash: "dash" },
  "at random": { color: palette.grey, width: 1, dash: "dot" },
};

/**
 * Cumulative expected profit of an offer by share of customers contacted, one line for each rule of whom to contact first,
 * with the best point of each rule that has one.
 */
export function targetingFigure({ curves, optima }: TargetingComparison, text: MoneyText): Figure {
  const place = "rules of targeting";
  const share = numbersOf(curves, "share", place);
  const winner = optima.reduce((best, one) => (one.profit > best.profit ? one : best));
  const byRisk = optima.find(({ rule }) => rule === "churn risk");
  const money = (value: number): string => `${thousands(value)} ${text.currency}`;
  const rival =
    byRisk === undefined || byRisk === winner
      ? ""
      : `; by churn risk at most ${money(byRisk.profit)}${byRisk.profit > 0 ? ` at ${percent(byRisk.share)}` : ""}`;
  const lines = optima.map(
    ({ rule }): Trace => ({
      type: "scatter",
      mode: "lines",
      name: rule,
      x: share,
      y: numbersOf(curves, rule, place),
      line: ruleLooks[rule] ?? {},
      hovertemplate: `${rule}, top %{x:.0%}: %{y:,.0f} ${text.currency}<extra></extra>`,
    }),
  );
  const marked = optima.filter(({ profit }) => profit > 0);
  const best: Trace = {
    type: "scatter",
    mode: "markers",
    name: "best share of each rule",
    x: marked.map((one) => one.share),
    y: marked.map(({ profit }) => profit),
    text: marked.map(({ rule, customers }) => `${rule}: ${thousands(customers)} customers`),
    marker: { color: palette.ink, size: 8, symbol: "circle-open", line: { width: 2 } },
    hovertemplate: `%{text}, %{y:,.0f} ${text.currency}<extra></extra>`,
  };
  return figureOf(marked.length > 0 ? [...lines, best] : lines, {
    title:
      text.title ??
      (winner.profit > 0
        ? `The offer earns most at ${percent(winner.share)} of customers by ${winner.rule}: ${money(winner.profit)}${rival}`
        : "The offer loses money on every customer, whatever the rule"),
    source: text.source,
    height: 480,
    axes: {
      xaxis: shareAxis("share of customers contacted, first those whom the rule puts first", {
        range: [0, 1],
      }),
      yaxis: axis(`cumulative expected profit (${text.currency})`, { tickformat: ",.0f" }),
    },
    // Curves of seven rules leave no corner free.
    right: 190,
    extra: { showlegend: true, legend: { x: 1.02, xanchor: "left", y: 1, yanchor: "top" } },
  });
}

/** Uplift of each arm of a trial over the control, with its limits, in percentage points. */
export function upliftFigure({ control, arms, level }: UpliftTrial, text: FigureText = {}): Figure {
  const best = arms.reduce((most, arm) => (arm.uplift > most.uplift ? arm : most));
  const points = (share: number): number => 100 * share;
  const signed = (share: number): string => `${share > 0 ? "+" : ""}${points(share).toFixed(1)}`;
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines+markers",
        name: `${percent(level)} interval`,
        x: arms.flatMap(({ low, high }) => [points(low), points(high), null]), // null lifts the pen
        y: arms.flatMap(({ arm }) => [arm, arm, null]),
        line: { color: palette.grey, width: 2 },
        marker: { color: palette.grey, symbol: "line-ns-open", size: 12, line: { width: 2 } },
        hovertemplate: "%{y}: interval ends at %{x:.1f} points<extra></extra>",
      },
      {
        type: "scatter",
        mode: "markers+text",
        name: "uplift",
        x: arms.map(({ uplift }) => points(uplift)),
        y: arms.map(({ arm }) => arm),
        text: arms.map(({ uplift }) => signed(uplift)),
        textposition: "top center",
        customdata: arms.map(({ customers, rate }) => [customers, rate]),
        marker: { color: palette.blue, size: 10 },
        cliponaxis: false,
        hovertemplate:
          "%{y}: %{x:.1f} points<br>%{customdata[1]:.1%} of %{customdata[0]:,} stayed<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `"${best.arm}" ${best.low > 0 ? "keeps" : "may keep"} ${signed(best.uplift)} points more than "${control.arm}" (${percent(level)} interval ${signed(best.low)} to ${signed(best.high)})`,
      source: text.source,
      height: 180 + 70 * arms.length,
      legend: true,
      axes: {
        xaxis: axis(`stayed: difference to "${control.arm}" (${percent(control.rate)}), percentage points`, {
          zeroline: true,
          zerolinecolor: palette.ink,
          rangemode: "tozero",
        }),
        yaxis: axis("arm of the trial", {
          type: "category",
          range: [arms.length - 0.5, -0.7],
          showgrid: false,
        }),
      },
    },
  );
}

/** What belongs to a figure of a saved curve beside the trial. */
export interface SavedCurveText extends MoneyText {
  /** Bootstrap limits of the curve at rising amounts. */
  readonly interval?: SavedCurveInterval;
}

const CURVE_STEPS = 60;

/**
 * Share of the would-be leavers whom offers of each amount kept in a trial, and the fitted curve with its limits. The points
 * are 1 - (share who left / share who leave without an offer, by the fit).
 */
export function savedCurveFigure(
  fit: { readonly parameters: SavedCurveParameters },
  arms: readonly AmountArm[],
  text: SavedCurveText,
): Figure {
  const { interval, currency } = text;
  const { baseRate, ceiling, k } = fit.parameters;
  const most = Math.max(...arms.map(({ amount }) => amount));
  const grid = Array.from({ length: CURVE_STEPS + 1 }, (_, step) => (most * step) / CURVE_STEPS);
  const band = interval?.curve ?? [];
  if (interval)
    requireRising(
      "saved curve",
      "amount of the interval",
      band.map(({ amount }) => amount),
    );
  const back = [...band].reverse();
  const half = Math.LN2 / k;
  return figureOf(
    [
      ...(interval
        ? [
            {
              type: "scatter",
              mode: "lines",
              name: `${percent(interval.level)} band`,
              x: [...band, ...back].map(({ amount }) => amount),
              y: [...band.map(({ high }) => high), ...back.map(({ low }) => low)],
              fill: "toself",
              fillcolor: `${palette.blue}33`,
              line: { width: 0, color: palette.blue },
              hoverinfo: "skip",
            },
          ]
        : []),
      {
        type: "scatter",
        mode: "lines",
        name: "fitted curve",
        x: grid,
        y: grid.map((amount) => savedShare(fit.parameters, amount)),
        line: { color: palette.blue, width: 2 },
        hovertemplate: `%{x:,.2f} ${currency}: %{y:.1%} saved<extra></extra>`,
      },
      {
        type: "scatter",
        mode: "markers",
        name: "arms of the trial",
        x: arms.map(({ amount }) => amount),
        y: arms.map(({ customers, stayed }) => 1 - (1 - stayed / customers) / (1 - baseRate)),
        customdata: arms.map(({ customers, stayed }) => [stayed, customers]),
        marker: { color: palette.ink, size: 8 },
        cliponaxis: false,
        hovertemplate: `%{x:,.2f} ${currency}: %{customdata[0]:,} of %{customdata[1]:,} stayed<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `Offers keep up to ${percent(ceiling)} of the would-be leavers; half of that takes ${half >= 100 ? thousands(half) : half.toPrecision(3)} ${currency}`,
      source: text.source,
      legend: true,
      axes: {
        xaxis: axis(`offer (${currency})`, { rangemode: "tozero" }),
        yaxis: axis("would-be leavers who stayed", { tickformat: ".0%" }),
      },
    },
  );
}

/**
 * Reliability of predicted probabilities: observed against predicted share in groups of customers, with limits of the observed
 * share, and the diagonal on which calibrated predictions lie.
 * Columns: `group` (1 = highest prediction), `customers`, `predicted`, `actual`, `low`, `high`: see `reliabilityTable`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 */
export function reliabilityFigure(
  groups: ColumnTable,
  text: FigureText & {
    /** What the probabilities are of, for the axes: "leaving" unless given. */
    readonly event?: string;
  } = {},
): Figure {
  const place = "reliability";
  const { event = "leaving" } = text;
  const column = (name: string): number[] => numbersOf(groups, name, place);
  const [customers, predicted, actual] = [column("customers"), column("predicted"), column("actual")];
  const [low, high] = [column("low"), column("high")];
  const inside = predicted.filter((share, i) => share >= (low[i] ?? 1) && share <= (high[i] ?? 0)).length;
  const most = Math.min(1.05 * Math.max(...predicted, ...high), 1);
  return figureOf(
    [
      diagonal(most),
      {
        type: "scatter",
        mode: "lines",
        name: "interval of the observed share",
        x: predicted.flatMap((share) => [share, share, null]),
        y: low.flatMap((from, i) => [from, high[i] ?? from, null]),
        line: { color: palette.grey, width: 2 },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "markers",
        name: "groups of customers",
        x: predicted,
        y: actual,
        customdata: customers,
        marker: { color: palette.blue, size: 9 },
        cliponaxis: false,
        hovertemplate: "%{customdata:,} customers<br>%{x:.1%} predicted, %{y:.1%} observed<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `In ${inside} of ${predicted.length} groups the observed share agrees with the predicted probability of ${event}`,
      source: text.source,
      legend: true,
      height: 460,
      axes: {
        xaxis: shareAxis(`probability of ${event}, predicted (mean of the group)`, { range: [0, most] }),
        yaxis: shareAxis(`share ${event}, observed`, { range: [0, most] }),
      },
    },
  );
}
