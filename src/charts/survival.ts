import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import type { CumulativeIncidence } from "../retention/competing-risks.js";
import { covariateEffects, type SurvivalFit } from "../retention/hazard-summary.js";
import { medianSurvival, type SurvivalCurve } from "../retention/kaplan-meier.js";
import { rowAxis, threeDigits } from "./clv.js";
import type { Figure, Trace } from "./figure.js";
import { numbersOf } from "./read.js";
import {
  axis,
  colorOf,
  counted,
  type FigureText,
  figureOf,
  palette,
  percent,
  shareAxis,
  thousands,
  verticalLine,
  wrapTitle,
} from "./theme.js";

/** What a figure over time says about itself. */
export interface TimeText extends FigureText {
  /** What the times are counted in, in the plural: "months", "days". */
  readonly unit: string;
}

const MOST_CURVES = 6; // that can be told apart
const RISK_COLUMNS = 6;
const LABEL_WIDTH = 20; // characters of a stratum beside its numbers at risk

/**
 * Kaplan-Meier curves of one or several groups with their bands; below them the customers still at risk.
 * @throws RangeError if there is no curve, or more than six.
 */
export function survivalFigure(
  groups: readonly { readonly stratum: string; readonly curve: SurvivalCurve }[],
  text: TimeText,
): Figure {
  if (groups.length === 0 || groups.length > MOST_CURVES) {
    throw new RangeError(`groups must be 1 to ${MOST_CURVES}, got ${groups.length}`);
  }
  const end = Math.max(...groups.map(({ curve }) => curve.times.at(-1) as number));
  const traces = groups.flatMap(({ stratum, curve }, place): Trace[] => [
    {
      type: "scatter",
      mode: "lines",
      name: `${stratum}, ${percent(curve.level)} band`,
      ...bandOf(curve),
      fill: "toself",
      fillcolor: `${colorOf(place)}22`,
      line: { width: 0, color: colorOf(place) },
      hoverinfo: "skip",
      showlegend: false,
    },
    {
      type: "scatter",
      mode: "lines",
      name: stratum,
      x: [0, ...curve.times],
      y: [1, ...curve.survival],
      line: { shape: "hv", color: colorOf(place), width: 2 },
      hovertemplate: `${stratum}: %{y:.1%} still there after %{x} ${text.unit}<extra></extra>`,
    },
  ]);
  const step = niceStep(end / RISK_COLUMNS);
  const ticks = Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, k) => k * step);
  const atRisk = ({ times, atRisk: counts }: SurvivalCurve, time: number): number =>
    counts[times.findIndex((t) => t >= time)] ?? 0;
  const rows = groups.map(({ stratum, curve }, place) => ({
    type: "scatter",
    mode: "text",
    name: `${stratum}, at risk`,
    x: ticks,
    y: ticks.map(() => stratum),
    text: ticks.map((time) => thousands(atRisk(curve, time))),
    textfont: { size: 11, color: colorOf(place) },
    yaxis: "y2",
    hoverinfo: "skip",
    showlegend: false,
    cliponaxis: false,
  }));
  const labels = groups.map(({ stratum }) => wrapTitle(stratum, LABEL_WIDTH));
  const lines = Math.max(...labels.map((label) => label.split("<br>").length));
  const rowHeight = Math.max(24, 8 + 16 * lines);
  const height = 400 + rowHeight * rows.length;
  const share = (rowHeight * rows.length + 20) / (height - 120); // less the margins
  const widest = Math.max(...rows.map(({ text: [first = ""] }) => first.length)); // stands around 0, before the labels
  const many = groups.length > 1;
  return figureOf([...traces, ...rows], {
    title: text.title ?? survivalTitle(groups, text.unit),
    source: text.source,
    height,
    legend: many,
    axes: {
      xaxis: axis(text.unit, {
        range: [-0.02 * end, 1.02 * end],
        tickvals: ticks,
        anchor: "y2",
        showgrid: false,
        zeroline: false,
      }),
      yaxis: shareAxis("share still there", { domain: [share + 0.06, 1], range: [0, 1.02] }),
      yaxis2: axis("at risk", {
        domain: [0, share],
        type: "category",
        categoryarray: groups.map(({ stratum }) => stratum),
        range: [rows.length - 0.5, -0.5],
        showgrid: false,
        showline: false,
        showticklabels: many,
        tickvals: groups.map(({ stratum }) => stratum),
        ticktext: labels,
        ticklabelstandoff: 4 * widest,
      }),
    },
  });
}

function survivalTitle(
  groups: readonly { readonly stratum: string; readonly curve: SurvivalCurve }[],
  unit: string,
): string {
  const said = groups.map(({ stratum, curve }) => {
    const { time } = medianSurvival(curve);
    return {
      stratum,
      time,
      end: `${percent(curve.survival.at(-1) as number)} after ${counted(threeDigits(curve.times.at(-1) as number), unit)}`,
    };
  });
  const [one] = said;
  if (one && said.length === 1) {
    return one.time === undefined
      ? `More than half stay: ${one.end}`
      : `Half have left after ${counted(threeDigits(one.time), unit)}`;
  }
  return `Half have left: ${said
    .map(({ stratum, time, end }) =>
      time === undefined
        ? `"${stratum}" not yet (${end})`
        : `"${stratum}" after ${counted(threeDigits(time), unit)}`,
    )
    .join(", ")}`;
}

/** Outline of the band around a step curve: along the upper limits, back along the lower ones. */
function bandOf({ times, low, high }: SurvivalCurve): { readonly x: number[]; readonly y: number[] } {
  const steps = (limits: Float64Array): [number, number][] => {
    const points: [number, number][] = [[0, 1]];
    for (const [k, time] of times.entries()) {
      points.push([time, points.at(-1)?.[1] as number], [time, limits[k] as number]);
    }
    return points;
  };
  const outline = [...steps(high), ...steps(low).reverse()];
  return { x: outline.map(([x]) => x), y: outline.map(([, y]) => y) };
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) as number);
}

const factorTicks = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100,
];

/**
 * Effects of the covariates of a survival model as factors with intervals, on a log axis: right of 1 customers leave sooner
 * (Cox, Fine-Gray), or stay longer (accelerated failure time).
 * @throws RangeError if the model has no covariate.
 */
export function covariateEffectFigure(
  fit: SurvivalFit,
  text: FigureText & { readonly level?: number } = {},
): Figure {
  const { level = 0.95 } = text;
  const effects = covariateEffects(fit, level);
  const sure = effects.filter(({ low, high }) => low > 1 || high < 1);
  const [strongest] = [...(sure.length > 0 ? sure : effects)].sort(
    (a, b) => Math.abs(Math.log(b.factor)) - Math.abs(Math.log(a.factor)),
  );
  if (!strongest) throw new RangeError("fit must have at least one covariate, got none");
  const names = effects.map(({ covariate }) => covariate);
  const least = Math.min(0.9, ...effects.map(({ low }) => low));
  const most = Math.max(1.1, ...effects.map(({ high }) => high));
  const lifetime = fit.model === "accelerated failure time";
  const quantity = lifetime
    ? "lifetime"
    : fit.model === "Cox"
      ? "hazard of leaving"
      : `hazard of "${fit.cause}"`;
  const interval = `${percent(level)} interval ${threeDigits(strongest.low)} to ${threeDigits(strongest.high)}`;
  const colour = ({ low, high }: { readonly low: number; readonly high: number }): string =>
    low > 1
      ? lifetime
        ? palette.green
        : palette.red
      : high < 1
        ? lifetime
          ? palette.red
          : palette.green
        : palette.grey;
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines",
        name: `${percent(level)} interval`,
        x: effects.flatMap(({ low, high }) => [low, high, null]), // null lifts the pen
        y: effects.flatMap(({ covariate }) => [covariate, covariate, null]),
        line: { color: palette.grey, width: 2 },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "markers+text",
        name: "estimate",
        x: effects.map(({ factor }) => factor),
        y: names,
        text: effects.map(({ factor }) => threeDigits(factor)),
        textposition: "top center",
        marker: { size: 10, color: effects.map(colour) },
        hovertemplate: "%{y}: factor %{x:.3f}<extra></extra>",
        cliponaxis: false,
      },
    ],
    {
      title:
        text.title ??
        `"${strongest.covariate}" multiplies the ${quantity} by ${threeDigits(strongest.factor)} (${interval})`,
      source: text.source,
      height: 150 + 44 * names.length,
      axes: {
        xaxis: axis(`factor on the ${quantity} for one unit more`, {
          type: "log",
          range: [Math.log10(least) - 0.03, Math.log10(most) + 0.03],
          tickvals: factorTicks.filter((tick) => tick >= least && tick <= most),
          zeroline: false,
        }),
        yaxis: rowAxis("", names),
      },
      extra: {
        shapes: [verticalLine(1, "dot")],
      },
    },
  );
}

/**
 * What became of the customers: shares that each cause has taken, stacked over time, and those still there.
 */
export function incidenceFigure(incidence: CumulativeIncidence, text: TimeText): Figure {
  const { times, causes } = incidence;
  const x = [0, ...times];
  const last = (values: Float64Array): number => values.at(-1) as number;
  const [main] = [...causes].sort((a, b) => last(b.incidence) - last(a.incidence));
  let below = new Array<number>(x.length).fill(0);
  const layers: Trace[] = causes.map(({ cause, incidence: taken }, place) => {
    const shares = [0, ...taken];
    const top = below.map((share, k) => share + (shares[k] as number));
    below = top;
    return {
      type: "scatter",
      mode: "lines",
      name: cause,
      x,
      y: top,
      fill: place === 0 ? "tozeroy" : "tonexty",
      fillcolor: `${colorOf(place + 1)}88`,
      line: { shape: "hv", color: colorOf(place + 1), width: 1 },
      customdata: shares,
      hovertemplate: `${cause}: %{customdata:.1%} after %{x} ${text.unit}<extra></extra>`,
    };
  });
  const end = counted(threeDigits(times.at(-1) as number), text.unit);
  const found = main ? `${percent(last(main.incidence))} gone for "${main.cause}"` : "nobody gone";
  return figureOf(layers, {
    title: text.title ?? `After ${end}: ${found}, ${percent(last(incidence.survival))} still there`,
    source: text.source,
    legend: true,
    axes: {
      xaxis: axis(text.unit, { rangemode: "tozero" }),
      yaxis: shareAxis("share gone, by cause", { range: [0, 1] }),
    },
  });
}

/**
 * Predicted against observed share still there, by groups of customers (`survivalCalibration`): on the line predictions
 * come true.
 * @throws DataError if a column is missing or its values are no numbers.
 */
export function survivalCalibrationFigure(groups: ColumnTable, text: FigureText = {}): Figure {
  const place = "survivalCalibrationFigure";
  const predicted = numbersOf(groups, "predicted", place);
  const observed = numbersOf(groups, "observed", place);
  const [low, high] = [numbersOf(groups, "low", place), numbersOf(groups, "high", place)];
  if (predicted.length === 0) throw new DataError(`${place}: at least one group is needed, got none`);
  const missed = predicted.filter(
    (share, k) => share < (low[k] as number) || share > (high[k] as number),
  ).length;
  const gaps = predicted.map((share, k) => share - (observed[k] as number));
  const widest = gaps.map(Math.abs).indexOf(Math.max(...gaps.map(Math.abs)));
  const floor = Math.max(0, Math.min(...predicted, ...low) - 0.05);
  const gap = `group ${widest + 1}, ${percent(predicted[widest] as number)} predicted, ${percent(observed[widest] as number)} stayed`;
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines",
        name: "predictions come true",
        x: [floor, 1],
        y: [floor, 1],
        line: { color: palette.grey, dash: "dot", width: 1 },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "lines",
        name: "interval of the observed share",
        x: predicted.flatMap((share) => [share, share, null]),
        y: low.flatMap((from, k) => [from, high[k] as number, null]),
        line: { color: palette.blue, width: 1.5 },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "markers",
        name: "group of customers",
        x: predicted,
        y: observed,
        marker: { size: 9, color: palette.blue },
        hovertemplate: "predicted %{x:.1%}, observed %{y:.1%}<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `${missed === 0 ? "Predictions come true in all" : `Predictions miss in ${missed} of`} ${counted(predicted.length, "groups")}; widest gap: ${gap}`,
      source: text.source,
      legend: true,
      axes: {
        xaxis: shareAxis("predicted share still there", { range: [floor, 1.01] }),
        yaxis: shareAxis("observed share still there", { range: [floor, 1.01] }),
      },
    },
  );
}
