import type { ColumnTable } from "arquero";
import { type Estimate, marginalCost, responseEstimate } from "../acquisition/marginal-cost.js";
import type { Payback } from "../acquisition/payback.js";
import { type Pool, responseFunctions } from "../acquisition/response-curve.js";
import type { ResponseFit } from "../acquisition/response-fit.js";
import { DataError } from "../core/errors.js";
import type { Figure, Trace } from "./figure.js";
import { numbersOf, numbersOrNullOf, textsOf } from "./read.js";
import type { MoneyText } from "./segmentation.js";
import { axis, counted, figureOf, palette, percent, thousands } from "./theme.js";

const STEPS = 60;
const LEVEL = 0.9;

/**
 * Response curve with its data and band, and below it what one more customer costs at each spend, beside what a customer is
 * worth if `worth` is given: the spend pays as long as the line of the cost is below that of the worth. Drawn between the
 * smallest and the largest spend observed in the pool, because beyond them the formula decides, not the data.
 * @throws RangeError as `responseAt` for the pool.
 * @throws DataError if there are not two different spends above 0 in the pool, or `spend` is not between them.
 */
export function responseCurveFigure(
  fit: ResponseFit,
  text: MoneyText &
    Pool & {
      /** Lifetime value of a customer won by the spend, money. */
      readonly worth?: number;
      /** What a row of the data is: default "period". */
      readonly period?: string;
      /** Spend that the title speaks of; default the largest one observed. */
      readonly spend?: number;
    },
): Figure {
  const { currency, worth, period = "period" } = text;
  const { response } = responseFunctions(fit, text);
  const seen = poolData(fit, text);
  const [least, most] = [Math.min(...seen.spend.filter((money) => money > 0)), Math.max(...seen.spend)];
  const { spend = most } = text;
  if (!(least < most && spend >= least && spend <= most)) {
    throw new DataError(
      `response figure: spend must be between two different ones observed, ${least} and ${most}, got ${spend}`,
    );
  }
  const grid = Array.from({ length: STEPS + 1 }, (_, step) => least + ((most - least) * step) / STEPS);
  const options = { ...text, level: LEVEL, method: "delta" } as const;
  const won = grid.map((money) => responseEstimate(fit, money, options));
  const costs = grid.map((money) => marginalCost(fit, money, options));
  const next = marginalCost(fit, spend, { ...options, method: "profile" });
  const average = spend / response(spend);
  const top = 1.15 * Math.max(worth ?? 0, ...costs.map(({ value }) => value));
  const range = `${next.low === undefined ? "?" : thousands(next.low)} to ${next.high === undefined ? "?" : thousands(next.high)}`;
  return figureOf(
    [
      band(`${percent(LEVEL)} band of the curve`, grid, won, "y", palette.blue),
      {
        type: "scatter",
        mode: "markers",
        name: "observed",
        x: seen.spend,
        y: seen.won,
        marker: { color: palette.grey, size: 7 },
        hovertemplate: `%{x:,.0f} ${currency}: %{y:,.0f} won<extra></extra>`,
      },
      line(`"${fit.shape}" curve`, grid, won, "y", palette.blue),
      band(`${percent(LEVEL)} band of the cost`, grid, costs, "y2", palette.orange),
      line("cost of one more customer", grid, costs, "y2", palette.orange),
      ...(worth === undefined ? [] : [levelLine("worth of a customer", [least, most], worth)]),
    ],
    {
      title:
        text.title ??
        `At ${thousands(spend)} ${currency} a ${period} a customer costs ${thousands(average)} ${currency} on average, one more costs ${thousands(next.value)} (${percent(LEVEL)} interval ${range})`,
      source: text.source,
      height: 560,
      axes: {
        xaxis: axis(`spend in a ${period} (${currency})`, {
          tickformat: "~s",
          showgrid: false,
          anchor: "y2",
        }),
        yaxis: axis("customers won", { domain: [0.52, 0.95], rangemode: "tozero" }),
        yaxis2: axis(`${currency} a customer`, { domain: [0, 0.4], range: [0, top], tickformat: ",.0f" }),
      },
      extra: {
        annotations: [
          panelLabel(`<b>Customers won in a ${period}</b>, with ${percent(LEVEL)} band`, 0.95),
          panelLabel(
            `<b>Cost of one more customer</b>, with ${percent(LEVEL)} band${worth === undefined ? "" : "; dashed: worth of a customer"}`,
            0.4,
          ),
        ],
      },
    },
  );
}

/** Spends and customers of the pool's segment as if its size were always the one asked for. */
function poolData(
  { data }: ResponseFit,
  { segment, exposure = 1 }: Pool,
): { spend: number[]; won: number[] } {
  const rows = [...data.spend.keys()].filter(
    (row) => data.segment === undefined || data.segment[row] === segment,
  );
  const scaled = (values: readonly number[]): number[] =>
    rows.map((row) => ((values[row] as number) * exposure) / (data.exposure?.[row] ?? 1));
  return { spend: scaled(data.spend), won: scaled(data.won) };
}

function band(
  name: string,
  x: readonly number[],
  estimates: readonly Estimate[],
  yaxis: string,
  color: string,
): Trace {
  const ends = (end: "low" | "high"): number[] =>
    estimates.map((estimate) => estimate[end] ?? estimate.value);
  return {
    type: "scatter",
    mode: "lines",
    name,
    x: [...x, ...[...x].reverse()],
    y: [...ends("high"), ...ends("low").reverse()],
    yaxis,
    fill: "toself",
    fillcolor: `${color}33`,
    line: { width: 0, color },
    hoverinfo: "skip",
  };
}

const line = (
  name: string,
  x: readonly number[],
  estimates: readonly Estimate[],
  yaxis: string,
  color: string,
): Trace => ({
  type: "scatter",
  mode: "lines",
  name,
  x,
  y: estimates.map(({ value }) => value),
  yaxis,
  line: { color, width: 2 },
  hovertemplate: `${name} at %{x:,.0f}: %{y:,.1f}<extra></extra>`,
});

const levelLine = (name: string, x: readonly number[], value: number): Trace => ({
  type: "scatter",
  mode: "lines",
  name,
  x,
  y: x.map(() => value),
  yaxis: "y2",
  line: { color: palette.ink, width: 1.5, dash: "dash" },
  hovertemplate: `${name}: %{y:,.0f}<extra></extra>`,
});

const panelLabel = (text: string, y: number): Record<string, unknown> => ({
  text,
  xref: "paper",
  yref: "paper",
  x: 0,
  xanchor: "left",
  y,
  yanchor: "bottom",
  showarrow: false,
});

/** What a customer is worth, with its interval. */
export interface WorthInterval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Who pays back: what a customer costs in each group (channel, segment) with its interval, beside what a customer is worth.
 * A group with spend but no customer shows the least that one may cost, with an arrow; groups without spend are left out
 * and named below. `costs` is a table of `acquisitionCosts` by the columns `by`; `worth` has one entry a group, under its
 * name or, for several columns, the names joined by ", ".
 * @throws DataError if a column is missing, no group had spend, or one that had has no worth.
 */
export function acquisitionCostFigure(
  costs: ColumnTable,
  worth: Readonly<Record<string, WorthInterval>>,
  text: MoneyText & {
    /** Columns that name the group. */
    readonly by: readonly string[];
  },
): Figure {
  const { currency, by } = text;
  const rows = costRows(costs, by);
  const paid = rows.filter(({ low }) => low !== null);
  if (paid.length === 0) throw new DataError("acquisition costs: at least one group must have had spend");
  const groups = paid.map((row) => {
    const own = worth[row.name];
    if (own !== undefined) return { ...row, low: row.low as number, worth: own };
    throw new DataError(`acquisition costs: worth must have an entry for each group, "${row.name}" has none`);
  });
  const sure = groups.filter(({ high, worth: own }) => high !== null && high < own.low);
  const losing = groups.filter(({ low, worth: own }) => low > own.high);
  const organic = rows.filter(({ status }) => status === "organic").map(({ name }) => name);
  const most = Math.max(...groups.flatMap(({ low, high, worth: own }) => [low * 1.3, high ?? 0, own.high]));
  const height = (place: number, offset: number): number => groups.length - 1 - place + offset;
  return figureOf(
    [
      intervals(
        "interval of the cost",
        groups.map(({ low, high }, place) => [low, high ?? most, height(place, 0.13)]),
        palette.orange,
      ),
      intervals(
        "interval of the worth",
        groups.map(({ worth: own }, place) => [own.low, own.high, height(place, -0.13)]),
        palette.blue,
      ),
      {
        type: "scatter",
        mode: "markers",
        name: "cost of a customer",
        x: groups.map(({ cost, low }) => cost ?? low),
        y: groups.map((_, place) => height(place, 0.13)),
        marker: {
          color: palette.orange,
          size: 10,
          symbol: groups.map(({ cost }) => (cost === null ? "triangle-right" : "circle")),
        },
        text: groups.map(({ name, cost }) => `${name}${cost === null ? ", nobody won: at least" : ""}`),
        hovertemplate: `%{text}: %{x:,.0f} ${currency}<extra></extra>`,
      },
      {
        type: "scatter",
        mode: "markers",
        name: "worth of a customer",
        x: groups.map(({ worth: own }) => own.value),
        y: groups.map((_, place) => height(place, -0.13)),
        marker: { color: palette.blue, size: 10, symbol: "diamond" },
        text: groups.map(({ name }) => name),
        hovertemplate: `%{text}, worth: %{x:,.0f} ${currency}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `${namesOrCount(sure, groups.length)} back what a customer costs${losing.length === 0 ? "" : `; ${losing.map(({ name }) => name).join(", ")} ${losing.length === 1 ? "does" : "do"} not`}`,
      source: text.source,
      height: 170 + 46 * groups.length,
      axes: {
        xaxis: axis(
          `orange dot: cost, blue diamond: worth of a customer (${currency})${organic.length === 0 ? "" : `<br>without spend: ${organic.join(", ")}`}`,
          { rangemode: "tozero", tickformat: ",.0f" },
        ),
        yaxis: axis("", {
          tickvals: groups.map((_, place) => height(place, 0)),
          ticktext: groups.map(({ name, cost }) => (cost === null ? `${name} (nobody won)` : name)),
          range: [-0.6, groups.length - 0.4],
          showgrid: false,
          zeroline: false,
        }),
      },
    },
  );
}

const namesOrCount = (sure: readonly { readonly name: string }[], all: number): string => {
  if (sure.length === 0) return `None of ${counted(all, "groups")} clearly earns`;
  if (sure.length > 3) return `${sure.length} of ${counted(all, "groups")} clearly earn`;
  return `${sure.map(({ name }) => name).join(", ")} clearly ${sure.length === 1 ? "earns" : "earn"}`;
};

/** Horizontal lines from low to high at a height, with gaps between them. */
const intervals = (
  name: string,
  rows: readonly (readonly [low: number, high: number, y: number])[],
  color: string,
): Trace => ({
  type: "scatter",
  mode: "lines",
  name,
  x: rows.flatMap(([low, high]) => [low, high, null]),
  y: rows.flatMap(([, , y]) => [y, y, null]),
  line: { color, width: 3 },
  opacity: 0.5,
  hoverinfo: "skip",
});

interface CostRow {
  readonly name: string;
  readonly status: string;
  readonly cost: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

function costRows(costs: ColumnTable, by: readonly string[]): CostRow[] {
  const place = "acquisition costs";
  const names = by.map((name) => textsOf(costs, name, place));
  const status = textsOf(costs, "status", place);
  const cost = numbersOrNullOf(costs, "cost", place);
  const low = numbersOrNullOf(costs, "cost_low", place);
  const high = numbersOrNullOf(costs, "cost_high", place);
  return status.map((own, row) => ({
    name: names.map((column) => column[row] as string).join(", "),
    status: own,
    cost: cost[row] as number | null,
    low: low[row] as number | null,
    high: high[row] as number | null,
  }));
}

/**
 * Average cost of a customer by month with its interval, and below it the spend. Months without customers have no average
 * and leave a gap. `costs` is a table of `acquisitionCosts` by "month".
 * @throws DataError if a column is missing or no month has an average cost.
 */
export function monthlyAcquisitionCostFigure(costs: ColumnTable, text: MoneyText): Figure {
  const { currency } = text;
  const rows = costRows(costs, ["month"]);
  const spend = numbersOf(costs, "spend", "acquisition costs");
  const paid = rows.filter(({ cost }) => cost !== null);
  const [first, last] = [paid[0], paid.at(-1)];
  if (first === undefined || last === undefined) {
    throw new DataError("acquisition costs: at least one month must have an average cost");
  }
  const months = rows.map(({ name }) => name);
  const top = 1.1 * Math.max(...paid.map(({ high }) => high as number));
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines",
        name: "interval",
        x: paid.flatMap(({ name }) => [name, name, null]),
        y: paid.flatMap(({ low, high }) => [low, high, null]),
        line: { color: palette.orange, width: 4 },
        opacity: 0.4,
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "lines+markers",
        name: "average cost of a customer",
        x: months,
        y: rows.map(({ cost }) => cost),
        line: { color: palette.orange, width: 2 },
        marker: { size: 6 },
        hovertemplate: `%{x}: %{y:,.1f} ${currency}<extra></extra>`,
      },
      {
        type: "bar",
        name: "spend",
        x: months,
        y: spend,
        yaxis: "y2",
        marker: { color: palette.grey },
        hovertemplate: `%{x}: %{y:,.0f} ${currency}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `A customer cost ${thousands(last.cost as number)} ${currency} in ${last.name}${changeInWords(first, last)}`,
      source: text.source,
      height: 500,
      axes: {
        xaxis: axis("month", {
          type: "category",
          categoryorder: "array",
          categoryarray: months,
          showgrid: false,
          tickangle: months.length > 14 ? -45 : 0,
          nticks: 24,
          anchor: "y2",
        }),
        yaxis: axis(`${currency} a customer`, { domain: [0.42, 0.93], range: [0, top], tickformat: ",.0f" }),
        yaxis2: axis(`spend (${currency})`, { domain: [0, 0.28], rangemode: "tozero", tickformat: "~s" }),
      },
      extra: {
        annotations: [
          panelLabel("<b>Average cost of a customer</b>, with interval", 0.93),
          panelLabel("<b>Spend</b>", 0.28),
        ],
      },
    },
  );
}

/** Whether the last month differs from the first one beyond their intervals; "" if they are the same month. */
function changeInWords(first: CostRow, last: CostRow): string {
  if (first === last) return "";
  const then = `${thousands(first.cost as number)} in ${first.name}`;
  if ((last.low as number) > (first.high as number)) return `, up from ${then}`;
  if ((last.high as number) < (first.low as number)) return `, down from ${then}`;
  return `, not clearly different from ${then}`;
}

const curveColors = [palette.blue, palette.orange, palette.green, palette.red, palette.purple, palette.sky];

/**
 * Payback curves: margin of a customer won less its cost by age, one line a channel; the payback is where a line crosses 0.
 * @throws RangeError if there are no curves, or more than six.
 */
export function paybackFigure(
  curves: Readonly<Record<string, Payback>>,
  text: MoneyText & {
    /** What a period is, in the plural: "months"; default "periods". */
    readonly unit?: string;
  },
): Figure {
  const { currency, unit = "periods" } = text;
  const entries = Object.entries(curves);
  if (entries.length === 0 || entries.length > curveColors.length) {
    throw new RangeError(`curves must be 1 to ${curveColors.length}, got ${entries.length}`);
  }
  const inWords = entries.map(([name, curve]) =>
    curve.status === "paid back"
      ? `${name} after ${counted(curve.periods, unit)}`
      : `${name} not within ${counted(curve.horizon, unit)}`,
  );
  return figureOf(
    entries.map(([name, { balance }], index) => ({
      type: "scatter",
      mode: "lines+markers",
      name,
      x: balance.map((_, age) => age),
      y: balance,
      line: { color: curveColors[index] as string, width: 2 },
      marker: { size: 5 },
      cliponaxis: false,
      hovertemplate: `${name}, %{x} ${unit}: %{y:,.1f} ${currency}<extra></extra>`,
    })),
    {
      title: text.title ?? `Paid back: ${inWords.join(", ")}`,
      source: text.source,
      legend: entries.length > 1,
      axes: {
        xaxis: axis(`${unit} since the customer was won`, { showgrid: false, rangemode: "tozero" }),
        yaxis: axis(`margin less cost of a customer (${currency})`, {
          tickformat: ",.0f",
          zerolinecolor: palette.ink,
        }),
      },
    },
  );
}
