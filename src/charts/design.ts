import type { DesignReport, LevelBalance, LevelOverlap, PowerAnalysis } from "../tradeoff/design-report.js";
import type { Figure, Trace } from "./figure.js";
import {
  axis,
  type FigureText,
  figureOf,
  palette,
  percent,
  shareAxis,
  thousands,
  verticalLine,
} from "./theme.js";

const counted = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** How often each level is shown, against equally often: bars around 1. */
export function levelBalanceFigure({ levels }: DesignReport, text: FigureText = {}): Figure {
  const relative = levels.map(({ share, expectedShare }) => share / expectedShare);
  const distance = relative.map((value) => Math.abs(value - 1));
  const worst = distance.indexOf(Math.max(...distance));
  const { attribute, level } = levels[worst] as LevelBalance;
  const name = `"${attribute} ${level}"`;
  const missing = levels.filter((row) => row.versionsWithout > 0).length;
  const finding =
    (distance[worst] as number) < 0.005
      ? "Every level is shown equally often"
      : `${name} is furthest from equally often: ${(relative[worst] as number).toFixed(2)} times as often`;
  const bars = levels.map(({ attribute: of, level: one }) => `${of}: ${one}`);
  const gap = missing > 0 ? `; some version lacks ${counted(missing, "level")}` : "";
  return figureOf(
    [
      {
        type: "bar",
        orientation: "h",
        name: "shown, relative to equally often",
        x: relative,
        y: bars,
        marker: {
          color: levels.map((row) => (row.versionsWithout > 0 ? palette.red : palette.blue)),
        },
        hovertemplate: "%{y}: %{x:.2f} times as often as equally<extra></extra>",
      },
    ],
    {
      title: text.title ?? `${finding}${gap}`,
      source: text.source,
      height: 180 + 24 * levels.length,
      right: 96,
      axes: {
        xaxis: axis(
          `times shown / times if equally often${missing > 0 ? "; red: lacking in some version" : ""}`,
          {
            rangemode: "tozero",
          },
        ),
        yaxis: axis("", { type: "category", autorange: "reversed", showgrid: false }),
      },
      extra: {
        shapes: [verticalLine(1, "dash")],
        // Beside the axes, where the line does not cross them.
        annotations: levels.map(({ count, share }, row) => ({
          text: `${thousands(count)} (${percent(share)})`,
          xref: "paper",
          x: 1.01,
          xanchor: "left",
          y: bars[row],
          showarrow: false,
        })),
      },
    },
  );
}

/** How often two products of a task share a level, next to the least possible. */
export function levelOverlapFigure({ overlap }: DesignReport, text: FigureText = {}): Figure {
  const excess = overlap.map((row) => row.overlap - row.leastOverlap);
  const most = excess.indexOf(Math.max(...excess));
  const { attribute, overlap: share, leastOverlap } = overlap[most] as LevelOverlap;
  const names = overlap.map((row) => row.attribute);
  return figureOf(
    [
      {
        type: "bar",
        name: "this design",
        x: names,
        y: overlap.map((row) => row.overlap),
        marker: { color: palette.blue },
        hovertemplate: "%{x}: %{y:.1%}<extra></extra>",
      },
      {
        type: "bar",
        name: "least possible",
        x: names,
        y: overlap.map((row) => row.leastOverlap),
        marker: { color: palette.grey },
        hovertemplate: "%{x}: %{y:.1%}<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        ((excess[most] as number) < 0.005
          ? "Products of a task differ as much as they can"
          : `Two products of a task have the same ${attribute} in ${percent(share)} of cases, ${percent(leastOverlap)} would be least`),
      source: text.source,
      legend: true,
      axes: {
        xaxis: axis("attribute", { type: "category", showgrid: false }),
        yaxis: shareAxis("pairs of products with the same level"),
      },
      extra: { barmode: "group" },
    },
  );
}

const MOST_LINES = 6;

/**
 * Power by number of respondents: simulated shares as points, what the design's standard errors give as lines, the target
 * dashed. Of many coefficients the six hardest to find are drawn; coefficients of 0 have no power.
 * @throws RangeError if all coefficients are 0.
 */
export function powerFigure({ coefficients, target }: PowerAnalysis, text: FigureText = {}): Figure {
  const drawn = coefficients
    .filter(({ value }) => value !== 0)
    .sort((a, b) => (b.analyticRespondents as number) - (a.analyticRespondents as number));
  const [hardest] = drawn;
  if (!hardest) throw new RangeError("coefficients must not all be 0 for a figure of power");
  const { coefficient, analyticRespondents = 0, points } = hardest;
  const enough = Math.max(...drawn.map((one) => one.enough ?? Number.POSITIVE_INFINITY));
  const last = points.at(-1);
  const finding = Number.isFinite(enough)
    ? `${thousands(enough)} respondents find every effect with ${percent(target)} power; "${coefficient}" is hardest`
    : `${thousands(last?.respondents ?? 0)} respondents find "${coefficient}" with ${percent(last?.power ?? 0)} power only: ${percent(target)} needs about ${thousands(analyticRespondents)}`;
  const colors = [palette.blue, palette.orange, palette.green, palette.red, palette.purple, palette.sky];
  const traces = drawn.slice(0, MOST_LINES).flatMap(({ coefficient: name, points: own }, k): Trace[] => {
    const x = own.map(({ respondents }) => respondents);
    return [
      {
        type: "scatter",
        mode: "lines",
        name: `${name}, from the design`,
        showlegend: false,
        x,
        y: own.map(({ analyticPower }) => analyticPower),
        line: { color: colors[k], width: 2 },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "markers",
        name,
        x,
        y: own.map(({ power }) => power),
        marker: { color: colors[k], size: 8 },
        hovertemplate: `${name}, %{x:,} respondents: %{y:.1%}<extra></extra>`,
      },
    ];
  });
  const rest = drawn.length - MOST_LINES;
  return figureOf(traces, {
    title: text.title ?? finding,
    source: text.source,
    legend: true,
    axes: {
      xaxis: axis(`respondents${rest > 0 ? ` (not drawn: ${counted(rest, "easier effect")})` : ""}`, {
        tickformat: ",.0f",
        rangemode: "tozero",
      }),
      yaxis: shareAxis("studies that find the effect", { range: [0, 1.04] }),
    },
    extra: {
      shapes: [
        {
          type: "line",
          xref: "paper",
          x0: 0,
          x1: 1,
          y0: target,
          y1: target,
          line: { color: palette.ink, width: 1, dash: "dash" },
        },
      ],
    },
  });
}
