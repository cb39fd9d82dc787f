import { sumOf } from "../migration/chain.js";
import type { StateForecast } from "../migration/forecast.js";
import type { TransitionCounts, TransitionMatrix } from "../migration/transitions.js";
import type { Figure, Trace } from "./figure.js";
import {
  axis,
  colorOf,
  counted,
  type FigureText,
  figureOf,
  palette,
  percent,
  sequential,
  thousands,
} from "./theme.js";

const FEW_MOVES = 30;

/**
 * Heat map of a transition matrix: where the customers of each state (row) are a period later (column). A star marks
 * rows that rest on fewer than 30 moves.
 */
export function transitionFigure(estimate: TransitionMatrix, text: FigureText = {}): Figure {
  const { states, matrix, counts, low, high, level } = estimate;
  const moves = counts.map(sumOf);
  const isThin = moves.some((count) => count < FEW_MOVES);
  return figureOf(
    [
      {
        type: "heatmap",
        name: "share of the row's customers",
        x: states,
        y: states,
        z: matrix,
        text: matrix.map((row, from) =>
          row.map((share) => `${percent(share)}${(moves[from] as number) < FEW_MOVES ? "*" : ""}`),
        ),
        texttemplate: "%{text}",
        customdata: matrix.map((row, from) =>
          row.map((_, to) => [counts[from]?.[to], low[from]?.[to], high[from]?.[to]]),
        ),
        xgap: 2,
        ygap: 2,
        colorscale: sequential,
        zmin: 0,
        zmax: 1,
        colorbar: {
          title: { text: "share of the row's customers", side: "right" },
          tickformat: ".0%",
          thickness: 14,
          outlinewidth: 0,
        },
        hovertemplate: `%{y} to %{x}: %{z:.1%}, %{customdata[0]:,} moves<br>${percent(level)} interval %{customdata[1]:.1%} to %{customdata[2]:.1%}<extra></extra>`,
      },
    ],
    {
      title: text.title ?? transitionFinding(estimate),
      source: text.source,
      height: 200 + 50 * states.length,
      axes: {
        xaxis: axis("state a period later", { type: "category", showgrid: false }),
        yaxis: axis(isThin ? `state now; * fewer than ${FEW_MOVES} moves` : "state now", {
          type: "category",
          autorange: "reversed",
          showgrid: false,
        }),
      },
    },
  );
}

/** Which customers stay most of all, a state that nobody leaves aside, and where those go who stay least. */
function transitionFinding({ states, matrix }: TransitionMatrix): string {
  const stay = matrix.map((row, state) => row[state] as number);
  const passing = stay.filter((share) => share < 1);
  if (passing.length === 0) return "All customers stay in their state";
  const most = stay.indexOf(Math.max(...passing));
  const least = stay.indexOf(Math.min(...passing));
  const moving = (matrix[least] as readonly number[]).map((share, to) => (to === least ? 0 : share));
  const goal = moving.indexOf(Math.max(...moving));
  const leak = `${percent(moving[goal] as number)} of "${states[least]}" move to "${states[goal]}"`;
  return `${percent(stay[most] as number)} of "${states[most]}" stay; ${leak}`;
}

const NODE_WIDTH = 0.03;
const NODE_GAP = 0.04; // of the height, between two states
const CURVE_STEPS = 24;

/**
 * Flows of customers between states from one period to the next (Sankey): ribbons as wide as the number who move, in the
 * colour of the state they come from. Drawn as filled outlines, because static pictures know no Sankey traces.
 * @throws RangeError if there is no such period, or nobody moved in it.
 */
export function migrationFlowFigure(
  counts: TransitionCounts,
  text: FigureText & {
    /** The period that the flows start from; the last one if left out. */
    readonly period?: string;
  } = {},
): Figure {
  const { states, periods, byPeriod } = counts;
  const { period = periods.at(-1) ?? "" } = text;
  const flows = byPeriod[periods.indexOf(period)];
  if (flows === undefined)
    throw new RangeError(`period must be one of ${periods.join(", ")}, got "${period}"`);
  const before = flows.map(sumOf);
  const after = states.map((_, to) => sumOf(flows.map((row) => row[to] as number)));
  const total = sumOf(before);
  if (total === 0)
    throw new RangeError(`period must have customers who are observed in the next one too, got "${period}"`);
  const scale = (1 - NODE_GAP * (states.length - 1)) / total;
  const [tops, ends] = [nodeTops(before, scale), nodeTops(after, scale)];
  const ribbons: Trace[] = flows.flatMap((row, from) =>
    row.flatMap((count, to) => {
      if (count === 0) return [];
      const left = (tops[from] as number) - scale * sumOf(row.slice(0, to));
      const right =
        (ends[to] as number) - scale * sumOf(flows.slice(0, from).map((other) => other[to] as number));
      return [ribbon(`${states[from]} to ${states[to]}`, [left, right], count * scale, colorOf(from), count)];
    }),
  );
  return figureOf(ribbons, {
    title: text.title ?? flowFinding(counts, before, after, period),
    source: text.source,
    height: 460,
    axes: {
      xaxis: axis("", { range: [-0.3, 1.3], visible: false, fixedrange: true }),
      yaxis: axis("", { range: [-0.03, 1.14], visible: false, fixedrange: true }),
    },
    extra: {
      shapes: [before, after].flatMap((sizes, side) =>
        sizes.map((size, state) => {
          const top = ([tops, ends][side] as number[])[state] as number;
          const inner = side === 0 ? 0 : 1;
          return {
            type: "rect",
            x0: inner,
            x1: inner + (side === 0 ? -NODE_WIDTH : NODE_WIDTH),
            y0: top - size * scale,
            y1: top,
            fillcolor: colorOf(state),
            line: { width: 0 },
          };
        }),
      ),
      annotations: [
        ...[before, after].flatMap((sizes, side) =>
          labelHeights(sizes, [tops, ends][side] as number[], scale).map((y, state) => ({
            text: `${states[state]}<br>${thousands(sizes[state] as number)}`,
            x: side === 0 ? -NODE_WIDTH : 1 + NODE_WIDTH,
            y,
            xanchor: side === 0 ? "right" : "left",
            xshift: side === 0 ? -6 : 6,
            align: side === 0 ? "right" : "left",
            showarrow: false,
          })),
        ),
        { text: `<b>${period}</b>`, x: 0, y: 1.11, showarrow: false },
        { text: "<b>next period</b>", x: 1, y: 1.11, showarrow: false },
      ],
    },
  });
}

/** Which state changes most, one that nobody ever left aside: it can only gain. */
function flowFinding(
  { states, counts }: TransitionCounts,
  before: readonly number[],
  after: readonly number[],
  period: string,
): string {
  const living = [...states.keys()].filter((state) =>
    (counts[state] as readonly number[]).some((count, to) => to !== state && count > 0),
  );
  const change = after.map((count, state) => count - (before[state] as number));
  const largest = largestOf(change, living);
  const customers = counted(thousands(sumOf(before)), "customers");
  if (largest === undefined) return `All ${customers} stay in their state from ${period} to the next period`;
  const net = change[largest] as number;
  return `"${states[largest]}" ${net < 0 ? "loses" : "gains"} ${thousands(Math.abs(net))} of ${customers} net from ${period} to the next period`;
}

/** Which of some places holds the largest value, whatever its sign. */
const largestOf = (values: readonly number[], places: readonly number[]): number | undefined =>
  [...places].sort((a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number))[0];

/** Upper edges of the bars of states stacked from the top. */
const nodeTops = (sizes: readonly number[], scale: number): number[] =>
  sizes.map((_, state) => 1 - NODE_GAP * state - scale * sumOf(sizes.slice(0, state)));

const LABEL_HEIGHT = 0.12;

/** Middles of the bars, moved apart where two labels would lie on each other: down, and up again from the lower edge. */
function labelHeights(sizes: readonly number[], tops: readonly number[], scale: number): number[] {
  const heights = tops.map((top, state) => top - ((sizes[state] as number) * scale) / 2);
  for (let state = 1; state < heights.length; state++) {
    heights[state] = Math.min(heights[state] as number, (heights[state - 1] as number) - LABEL_HEIGHT);
  }
  let least = LABEL_HEIGHT / 4;
  for (let state = heights.length - 1; state >= 0; state--) {
    heights[state] = Math.max(heights[state] as number, least);
    least = (heights[state] as number) + LABEL_HEIGHT;
  }
  return heights;
}

/** The outline of a flow from the left edge (y of its top there) to the right one, an S curve above and below. */
function ribbon(
  name: string,
  [left, right]: readonly [number, number],
  width: number,
  color: string,
  count: number,
): Trace {
  const steps = Array.from({ length: CURVE_STEPS + 1 }, (_, step) => step / CURVE_STEPS);
  const top = steps.map((x) => left + (right - left) * x * x * (3 - 2 * x));
  return {
    type: "scatter",
    mode: "lines",
    name,
    x: [...steps, ...[...steps].reverse()],
    y: [...top, ...top.map((y) => y - width).reverse()],
    fill: "toself",
    fillcolor: `${color}66`,
    line: { width: 0, color },
    hoveron: "fills",
    text: `${name}: ${thousands(count)}`,
    hoverinfo: "text",
  };
}

/**
 * Forecast of the customers in each state with its band, one panel a state, because inactive customers outnumber the rest.
 * The title speaks of the state that changes most, those that nobody leaves or that stay empty aside.
 * @throws RangeError if the forecast has no period ahead.
 */
export function stateForecastFigure(
  forecast: StateForecast,
  text: FigureText & {
    /** What a period is, in the plural: "months", "quarters"; default "periods". */
    readonly unit?: string;
  } = {},
): Figure {
  const { states, expected, low, high, level, absorbing } = forecast;
  const { unit = "periods" } = text;
  const last = expected.length - 1;
  if (last < 1) throw new RangeError("forecast must have at least one period ahead, got none");
  const column = (rows: readonly (readonly number[])[], state: number): number[] =>
    rows.map((row) => row[state] as number);
  const changes = states.map((_, state) => {
    const [now = 0, then = 0] = [expected[0]?.[state], expected[last]?.[state]];
    return now === 0 ? 0 : then / now - 1;
  });
  const places = [...states.keys()];
  const living = places.filter(
    (state) =>
      !absorbing.includes(states[state] as string) && column(expected, state).some((count) => count > 0),
  );
  const most = (largestOf(changes, living) ?? largestOf(changes, places)) as number;
  const at = (rows: readonly (readonly number[])[]): string => thousands(rows[last]?.[most] as number);
  const time = expected.map((_, t) => t);
  const height = 1 / states.length;
  const panels = states.map((name, state) => {
    const suffix = state === 0 ? "" : String(state + 1);
    const bottom = 1 - (state + 1) * height;
    const traces: Trace[] = [
      {
        type: "scatter",
        mode: "lines",
        name: `${name}, ${percent(level)} band`,
        x: [...time, ...[...time].reverse()],
        y: [...column(high, state), ...column(low, state).reverse()],
        yaxis: `y${suffix}`,
        fill: "toself",
        fillcolor: `${palette.blue}33`,
        line: { width: 0, color: palette.blue },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "lines+markers",
        name,
        x: time,
        y: column(expected, state),
        yaxis: `y${suffix}`,
        line: { color: palette.blue, width: 2 },
        marker: { size: 5 },
        hovertemplate: `${name}, %{x} ${unit} ahead: %{y:,.0f}<extra></extra>`,
      },
    ];
    const yaxis = axis("", { domain: [bottom, bottom + 0.72 * height], tickformat: ",.0f", nticks: 4 });
    const label = {
      text: `<b>${name}</b> (customers)`,
      xref: "paper",
      yref: "paper",
      x: 0,
      xanchor: "left",
      y: bottom + 0.74 * height,
      yanchor: "bottom",
      showarrow: false,
    };
    return { traces, axes: { [`yaxis${suffix}`]: yaxis }, label };
  });
  const sign = (changes[most] as number) < 0 ? "" : "+";
  return figureOf(
    panels.flatMap(({ traces }) => traces),
    {
      title:
        text.title ??
        `"${states[most]}" in ${counted(last, unit)}: ${at(expected)} customers (${sign}${percent(changes[most] as number)}), ${percent(level)} band ${at(low)} to ${at(high)}`,
      source: text.source,
      height: 150 + 120 * states.length,
      axes: {
        ...(Object.assign({}, ...panels.map(({ axes }) => axes)) as Record<string, unknown>),
        xaxis: axis(`${unit} ahead`, {
          dtick: Math.max(1, Math.round(last / 12)),
          showgrid: false,
          anchor: states.length === 1 ? "y" : `y${states.length}`,
        }),
      },
      extra: { annotations: panels.map(({ label }) => label) },
    },
  );
}
