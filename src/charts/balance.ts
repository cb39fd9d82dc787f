import type { ColumnTable } from "arquero";
import {
  type BalanceIntervals,
  type BalanceSpec,
  blattbergDeighton,
  equityPerProspect,
  spendWorth,
  valueWhenAcquired,
} from "../strategy/balance.js";
import type { SpendChange } from "../strategy/budget.js";
import {
  type CustomerEquitySpec,
  type EquityNode,
  type EquitySensitivity,
  equitySensitivities,
  type SensitivityOptions,
} from "../strategy/customer-equity-tree.js";
import type { Figure, Trace } from "./figure.js";
import { numbersOf } from "./read.js";
import type { MoneyText } from "./segmentation.js";
import { axis, type FigureText, figureOf, palette, percent, sequential, thousands } from "./theme.js";

const GRID = 40; // cells a side of the surface
const NEARLY_BEST = 0.95; // share of the best equity that the outline encloses

/**
 * Customer equity per prospect over both spends (Blattberg & Deighton): colour by equity, the optimum as a point, an outline
 * around everything that brings at least 95% of it, and, where given, a box for the intervals of the best spends.
 * @throws RangeError as `blattbergDeighton`.
 */
export function balanceFigure(
  spec: BalanceSpec,
  text: MoneyText & {
    /** How sure the optimum is: drawn as a box. */
    readonly intervals?: BalanceIntervals;
  },
): Figure {
  const { intervals, currency } = text;
  const best = blattbergDeighton(spec);
  const { acquisitionSpend, retentionSpend, equity } = best;
  const reach = (spend: number, high: number | undefined, responsiveness: number): number =>
    1.15 * Math.max(1.9 * spend, high ?? 0) || 1 / responsiveness;
  const right = reach(acquisitionSpend, intervals?.acquisitionSpend.high, spec.acquisition.responsiveness);
  const top = reach(retentionSpend, intervals?.retentionSpend.high, spec.retention.responsiveness);
  const steps = Array.from({ length: GRID + 1 }, (_, step) => step / GRID);
  const surface = steps.map((up) =>
    steps.map((across) =>
      equityPerProspect(spec, { acquisitionSpend: across * right, retentionSpend: up * top }),
    ),
  );
  const outline = equity > 0 ? nearlyBest(spec, equity, { right, top }) : [];
  const money = (value: number): string => `${thousands(value, 2)} ${currency}`;
  const finding =
    best.pays === "neither"
      ? `No spending pays: equity ${money(equity)} a prospect without any`
      : `Best: ${money(acquisitionSpend)} a prospect and ${money(retentionSpend)} a customer and period, for ${money(equity)} equity a prospect`;
  return figureOf(
    [
      {
        type: "heatmap",
        name: "customer equity",
        x: steps.map((step) => step * right),
        y: steps.map((step) => step * top),
        z: surface,
        colorscale: sequential,
        zmin: equity > 0 ? 0 : Math.min(...surface.flat()),
        zmax: equity > 0 ? equity : Math.max(...surface.flat(), 0),
        colorbar: {
          title: { text: `equity a prospect (${currency})`, side: "right" },
          thickness: 14,
          outlinewidth: 0,
        },
        hovertemplate: `%{x:.2f} a prospect, %{y:.2f} a customer and period: %{z:.2f} ${currency}<extra></extra>`,
      },
      ...(outline.length > 0
        ? [
            {
              type: "scatter",
              mode: "lines",
              name: `${percent(NEARLY_BEST)} of the best or more`,
              x: outline.map(([across]) => across),
              y: outline.map(([, up]) => up),
              line: { color: palette.orange, width: 2 },
              hoverinfo: "skip",
            },
          ]
        : []),
      {
        type: "scatter",
        mode: "markers",
        name: "best spends",
        x: [acquisitionSpend],
        y: [retentionSpend],
        cliponaxis: false,
        marker: { color: palette.orange, size: 11, line: { color: "#FFFFFF", width: 2 } },
        hovertemplate: `%{x:.2f} a prospect, %{y:.2f} a customer and period<extra></extra>`,
      },
      ...(intervals
        ? [
            {
              type: "scatter",
              mode: "lines",
              name: `${percent(intervals.level)} intervals`,
              ...boxOf(intervals),
              line: { color: palette.ink, width: 1.5, dash: "dash" },
              hoverinfo: "skip",
            },
          ]
        : []),
    ],
    {
      title: text.title ?? finding,
      source: text.source,
      height: 480,
      legend: true,
      axes: {
        xaxis: axis(`acquisition spend (${currency} a prospect)`, { range: [0, right], showgrid: false }),
        yaxis: axis(`retention spend (${currency} a customer and period)`, {
          range: [0, top],
          showgrid: false,
        }),
      },
    },
  );
}

function boxOf({ acquisitionSpend, retentionSpend }: BalanceIntervals): Pick<Trace, "x" | "y"> {
  const [left, right, bottom, top] = [
    acquisitionSpend.low,
    acquisitionSpend.high,
    retentionSpend.low,
    retentionSpend.high,
  ];
  return { x: [left, right, right, left, left], y: [bottom, bottom, top, top, bottom] };
}

/** The spends inside the picture around which equity falls below 95% of the best, as a closed line. */
function nearlyBest(
  spec: BalanceSpec,
  equity: number,
  { right, top }: { readonly right: number; readonly top: number },
): (readonly [number, number])[] {
  const rows = Array.from({ length: 8 * GRID + 1 }, (_, row) => (row / (8 * GRID)) * top);
  const edges = rows.flatMap((retentionSpend) => {
    const falls = (acquisitionSpend: number): boolean =>
      equityPerProspect(spec, { acquisitionSpend, retentionSpend }) < NEARLY_BEST * equity;
    const peak = spendWorth(valueWhenAcquired(spec, retentionSpend), spec.acquisition);
    return falls(peak) ? [] : [[edge(falls, 0, peak), retentionSpend, edge(falls, right, peak)] as const];
  });
  const line = [
    ...edges.map(([left, height]) => [left, height] as const),
    ...edges.map(([, height, end]) => [end, height] as const).reverse(),
  ];
  return [...line, ...line.slice(0, 1)];
}

/** Where a condition that does not hold at `inside` begins to hold on the way to `end`; `end` if it does not. */
function edge(holds: (x: number) => boolean, end: number, inside: number): number {
  let [out, kept] = [end, inside];
  if (!holds(out)) return out;
  for (let halving = 0; halving < 40; halving++) {
    const middle = (out + kept) / 2;
    if (holds(middle)) out = middle;
    else kept = middle;
  }
  return kept;
}

const MOST_BARS = 20;

/**
 * What each use gets now and then, with the marginal value of money before and after: where the marginal values differ, moving
 * money pays. The uses with the largest changes, if there are more than 20.
 * @throws RangeError if there are no uses.
 */
export function allocationFigure(changes: readonly SpendChange[], text: MoneyText): Figure {
  const { currency } = text;
  const shown = [...changes]
    .sort((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from))
    .slice(0, MOST_BARS);
  const [largest] = shown;
  if (largest === undefined) throw new RangeError("changes must hold at least one use, got none");
  const names = shown.map(({ name }) => name);
  const bars = (
    name: string,
    color: string,
    spends: readonly number[],
    marginals: readonly number[],
  ): Trace => ({
    type: "bar",
    orientation: "h",
    name,
    y: names,
    x: spends,
    text: marginals.map((marginal) => `+1 brings ${marginal.toFixed(2)}`),
    textposition: "outside",
    cliponaxis: false,
    marker: { color },
    hovertemplate: `%{y}, ${name}: %{x:,.0f} ${currency}, %{text}<extra></extra>`,
  });
  const moved = largest.to - largest.from;
  const finding =
    moved === 0
      ? `No money should move: each use already gets what is best`
      : `"${largest.name}" should get ${thousands(Math.abs(moved))} ${currency} ${moved < 0 ? "less" : "more"}: there one more ${currency} brings ${largest.marginalBefore.toFixed(2)} now`;
  const rest = changes.length - shown.length;
  return figureOf(
    [
      bars(
        "now",
        palette.grey,
        shown.map(({ from }) => from),
        shown.map(({ marginalBefore }) => marginalBefore),
      ),
      bars(
        "best",
        palette.blue,
        shown.map(({ to }) => to),
        shown.map(({ marginalAfter }) => marginalAfter),
      ),
    ],
    {
      title: text.title ?? finding,
      source: text.source,
      height: 190 + 46 * shown.length,
      right: 112,
      legend: true,
      axes: {
        xaxis: axis(
          `spend (${currency})${rest > 0 ? `; ${rest} uses with smaller changes are not shown` : ""}`,
          { rangemode: "tozero", tickformat: "~s" },
        ),
        yaxis: axis("", { type: "category", autorange: "reversed", showgrid: false }),
      },
      extra: { barmode: "group", bargap: 0.3 },
    },
  );
}

/**
 * What each budget brings at best, and below it what one more unit of budget adds: columns `budget`, `spend`, `net_value`,
 * `shadow_price`, as `frontier` gives them, by rising budget.
 * @throws DataError if a column is missing, the table is empty, or a value is no number.
 */
export function frontierFigure(budgets: ColumnTable, text: MoneyText): Figure {
  const { currency } = text;
  const budget = numbersOf(budgets, "budget", "budget frontier");
  const spend = numbersOf(budgets, "spend", "budget frontier");
  const netValue = numbersOf(budgets, "net_value", "budget frontier");
  const price = numbersOf(budgets, "shadow_price", "budget frontier");
  const enough = price.indexOf(0);
  const last = budget.length - 1;
  const finding =
    enough === -1
      ? `At a budget of ${thousands(budget[last] as number)} ${currency} one more ${currency} still adds ${(price[last] as number).toFixed(2)}`
      : `From ${thousands(spend[enough] as number)} ${currency} on more budget adds nothing: net value ${thousands(netValue[enough] as number)} ${currency}`;
  const line = (name: string, y: readonly number[], more: Readonly<Record<string, unknown>>): Trace => ({
    type: "scatter",
    mode: "lines+markers",
    name,
    x: budget,
    y,
    marker: { size: 5 },
    hovertemplate: `budget %{x:,.0f} ${currency}: %{y:,.2f}<extra></extra>`,
    ...more,
  });
  return figureOf(
    [
      line("net value", netValue, { line: { color: palette.blue, width: 2 } }),
      line("shadow price", price, { yaxis: "y2", line: { color: palette.orange, width: 2 } }),
    ],
    {
      title: text.title ?? finding,
      source: text.source,
      height: 520,
      axes: {
        xaxis: axis(`budget (${currency})`, { anchor: "y2", tickformat: "~s" }),
        yaxis: axis(`net value (${currency})`, { domain: [0.48, 1], tickformat: "~s" }),
        yaxis2: axis(`one more ${currency} adds (${currency})`, { domain: [0, 0.4], rangemode: "tozero" }),
      },
    },
  );
}

const INDENT = 0.025; // of the width, per level of the tree
const LABELS = 0.42; // of the width, for the names

/**
 * The tree of customer equity as an indented waterfall: each amount begins where the one before it on its level ended, costs
 * to the left, down to the parts of which acquisition equity consists.
 */
export function equityTreeFigure(tree: EquityNode, text: FigureText = {}): Figure {
  const bars = waterfall(tree, 0, 0);
  const currency = tree.unit;
  const parts = tree.children.flatMap((segment) =>
    segment.children.map((part) => ({ name: `${part.name} of "${segment.name}"`, value: part.value })),
  );
  const largest = parts.reduce((most, part) => (part.value > most.value ? part : most));
  const share = tree.value > 0 ? ` (${percent(largest.value / tree.value)})` : "";
  const labels = bars.map(({ node }, row) => `${row + 1}. ${node.name}`);
  return figureOf(
    [
      {
        type: "bar",
        orientation: "h",
        name: "amount",
        y: labels,
        base: bars.map(({ start }) => start),
        x: bars.map(({ amount }) => amount),
        marker: { color: bars.map(({ level, amount }) => (amount < 0 ? palette.red : levelColor(level))) },
        text: bars.map(({ amount }) => thousands(amount)),
        textposition: "outside",
        cliponaxis: false,
        hovertemplate: `%{y}: %{text} ${currency}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `Customer equity is ${thousands(tree.value)} ${currency}: most of it ${largest.name}, ${thousands(largest.value)}${share}`,
      source: text.source,
      height: 150 + 30 * bars.length,
      right: 72,
      axes: {
        xaxis: axis(`value (${currency})`, {
          domain: [LABELS, 1],
          tickformat: "~s",
          zeroline: true,
          zerolinecolor: palette.ink,
        }),
        yaxis: axis("", { type: "category", autorange: "reversed", showgrid: false, showticklabels: false }),
      },
      extra: {
        annotations: bars.map(({ node, level }, row) => ({
          text: level <= 1 ? `<b>${node.name}</b>` : node.name,
          xref: "paper",
          x: INDENT * level,
          xanchor: "left",
          y: row,
          showarrow: false,
        })),
      },
    },
  );
}

const levelColor = (level: number): string =>
  [palette.ink, palette.blue, palette.green, palette.sky][level] ?? palette.sky;

interface WaterfallBar {
  readonly node: EquityNode;
  readonly level: number;
  readonly start: number;
  /** The value, negative where its parent subtracts it. */
  readonly amount: number;
}

/** The bars of a node and of the amounts that add up to it, from where the node begins. */
function waterfall(node: EquityNode, level: number, start: number, sign = 1): WaterfallBar[] {
  const bar = { node, level, start, amount: sign * node.value };
  const addsUp = node.formula === "the sum" || node.formula === "the first less the second";
  if (!addsUp || node.children.some(({ unit }) => unit !== node.unit)) return [bar];
  let from = start;
  const below = node.children.flatMap((child, place) => {
    const childSign = node.formula === "the first less the second" && place === 1 ? -sign : sign;
    const bars = waterfall(child, level + 1, from, childSign);
    from += childSign * child.value;
    return bars;
  });
  return [bar, ...below];
}

/**
 * Tornado: what a rise and a fall of each input by the same share do to customer equity, the largest first, at most 20.
 * @throws RangeError as `equitySensitivities`, for the rise and the fall.
 */
export function equityTornadoFigure(
  spec: CustomerEquitySpec,
  text: FigureText & SensitivityOptions = {},
): Figure {
  const { change = 0.01, scope = "each segment" } = text;
  const rises = equitySensitivities(spec, { change, scope });
  const falls = equitySensitivities(spec, { change: -change, scope });
  const shown = rises.slice(0, MOST_BARS);
  const label = ({ segment, input }: EquitySensitivity): string =>
    segment === "all" ? input : `${segment}: ${input}`;
  const names = shown.map(label);
  const effectOf = (list: readonly EquitySensitivity[]): number[] =>
    names.map((name) => list.find((each) => label(each) === name)?.effect ?? 0);
  const [largest] = shown as [EquitySensitivity];
  const bars = (name: string, color: string, effects: readonly number[]): Trace => ({
    type: "bar",
    orientation: "h",
    name,
    y: names,
    x: effects,
    marker: { color },
    hovertemplate: `%{y}, ${name}: %{x:,.0f} ${spec.currency}<extra></extra>`,
  });
  const size = percent(Math.abs(change));
  return figureOf(
    [
      bars(`${size} more`, palette.blue, effectOf(change > 0 ? rises : falls)),
      bars(`${size} less`, palette.orange, effectOf(change > 0 ? falls : rises)),
    ],
    {
      title:
        text.title ??
        `${label(largest)} counts most: 1% more changes customer equity by ${largest.elasticity.toFixed(2)}%`,
      source: text.source,
      height: 170 + 26 * shown.length,
      legend: true,
      axes: {
        xaxis: axis(`change of customer equity (${spec.currency})`, {
          tickformat: "~s",
          zeroline: true,
          zerolinecolor: palette.ink,
        }),
        yaxis: axis("", { type: "category", autorange: "reversed", showgrid: false }),
      },
      extra: { barmode: "overlay" },
    },
  );
}
