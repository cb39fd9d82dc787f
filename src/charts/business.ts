import type { ColumnTable } from "arquero";
import { DataError } from "../core/errors.js";
import type { Figure } from "./figure.js";
import { numbersOf, textsOf } from "./read.js";
import type { MoneyText } from "./segmentation.js";
import { axis, counted, type FigureText, figureOf, palette, thousands } from "./theme.js";

/**
 * Revenue by month as bars; months named in `highlights` (a promotion, a price change) stand out with their label.
 * Columns: `month` ("2025-11") and `revenue`, in order of time.
 * @throws DataError if a column is missing, the table is empty, or a highlighted month is not in the table.
 */
export function monthlyRevenueFigure(
  months: ColumnTable,
  text: MoneyText & { readonly highlights?: Readonly<Record<string, string>> },
): Figure {
  const month = textsOf(months, "month", "monthly revenue");
  const revenue = numbersOf(months, "revenue", "monthly revenue");
  const highlights = Object.entries(text.highlights ?? {});
  for (const [name] of highlights) {
    if (!month.includes(name)) {
      throw new DataError(
        `monthly revenue: highlighted month must be one of ${month[0] ?? ""} to ${month[month.length - 1] ?? ""}, got ${name}`,
      );
    }
  }
  const marked = new Set(highlights.map(([name]) => name));
  const best = revenue.reduce((top, value, index) => (value > (revenue[top] ?? 0) ? index : top), 0);
  const usual = [...revenue].sort((a, b) => a - b)[Math.floor(revenue.length / 2)] ?? 0;
  return figureOf(
    [
      {
        type: "bar",
        name: "revenue",
        x: month,
        y: revenue,
        marker: { color: month.map((name) => (marked.has(name) ? palette.orange : palette.blue)) },
        hovertemplate: `%{x}: %{y:,.0f} ${text.currency}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `${month[best] ?? ""} was the best month: ${thousands(revenue[best] ?? 0)} ${text.currency}, ${((revenue[best] ?? 0) / usual).toFixed(1)} times the median month`,
      source: text.source,
      axes: {
        xaxis: axis("month", {
          type: "category",
          showgrid: false,
          tickangle: month.length > 14 ? -45 : 0,
          nticks: 24,
        }),
        yaxis: axis(`revenue (${text.currency})`, { rangemode: "tozero", tickformat: "~s" }),
      },
      extra: {
        annotations: highlights.map(([name, label]) => ({
          x: name,
          y: revenue[month.indexOf(name)] ?? 0,
          text: label,
          showarrow: true,
          arrowcolor: palette.grey,
          ay: -24,
          ax: 0,
        })),
      },
    },
  );
}

/**
 * Which raw rows were rejected, by reason, the most frequent first; the title says how many of all. The accepted ones
 * have no bar: beside them no other could be seen. Columns: `outcome` ("accepted" or the reason) and `rows`.
 * @throws DataError if a column is missing, the table is empty or a count is no number.
 */
export function dataQualityFigure(outcomes: ColumnTable, text: FigureText = {}): Figure {
  const outcome = textsOf(outcomes, "outcome", "data quality");
  const rows = numbersOf(outcomes, "rows", "data quality");
  const all = rows.reduce((sum, count) => sum + count, 0);
  const reasons = outcome
    .map((reason, index) => ({ reason, rows: rows[index] ?? 0 }))
    .filter(({ reason }) => reason !== "accepted")
    .sort((a, b) => b.rows - a.rows);
  const rejected = reasons.reduce((sum, { rows: count }) => sum + count, 0);
  const share = all === 0 ? 0 : rejected / all;
  return figureOf(
    [
      {
        type: "bar",
        orientation: "h",
        name: "rejected rows",
        y: reasons.map(({ reason }) => reason),
        x: reasons.map(({ rows: count }) => count),
        text: reasons.map(({ rows: count }) => thousands(count)),
        textposition: "outside",
        cliponaxis: false,
        marker: { color: palette.red },
        hovertemplate: "%{y}: %{x:,} rows<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `${thousands(rejected)} of ${counted(thousands(all), "raw rows")} were rejected: ${exactPercent(share)}`,
      source: text.source,
      height: 170 + 32 * reasons.length,
      right: 72,
      axes: {
        xaxis: axis("rejected rows", { rangemode: "tozero" }),
        yaxis: axis("", { autorange: "reversed", showgrid: false, type: "category" }),
      },
    },
  );
}

/** The names behind a count, as long as they are few: ": Champions, New". */
const named = (names: readonly string[]): string =>
  names.length > 0 && names.length <= 3 ? `: ${names.join(", ")}` : "";

/** 0.00046 as "0.05%": rounded up, so that a few rejected rows do not round away. */
const exactPercent = (share: number): string => `${(Math.ceil(share * 10_000) / 100).toFixed(2)}%`;

/** One step of a calculation that adds up: an amount, or the total so far. */
export interface WaterfallStep {
  readonly label: string;
  /** Money added (or, negative, taken away); ignored for a total. */
  readonly amount?: number;
  readonly total?: boolean;
}

/**
 * How a decision adds up, such as expected margin, minus contact cost, minus gifts, equals expected net value.
 * @throws DataError if there are no steps or a step that is no total has no amount.
 */
export function waterfallFigure(steps: readonly WaterfallStep[], text: MoneyText): Figure {
  if (steps.length === 0) throw new DataError("waterfall: at least one step is needed, got none");
  const amounts = steps.map(({ label, amount, total }) => {
    if (!total && (amount === undefined || !Number.isFinite(amount))) {
      throw new DataError(`waterfall: step "${label}" must have an amount, got ${String(amount)}`);
    }
    return total ? 0 : (amount ?? 0);
  });
  const net = amounts.reduce((sum, amount) => sum + amount, 0);
  const reached = amounts.map((_, index) =>
    amounts.slice(0, index + 1).reduce((sum, amount) => sum + amount, 0),
  );
  return figureOf(
    [
      {
        type: "waterfall",
        name: "expected value",
        x: steps.map(({ label }) => label),
        y: amounts,
        measure: steps.map(({ total }) => (total ? "total" : "relative")),
        text: steps.map(({ total }, index) => thousands((total ? reached[index] : amounts[index]) ?? 0)),
        textposition: "outside",
        cliponaxis: false,
        connector: { line: { color: palette.rule } },
        increasing: { marker: { color: palette.green } },
        decreasing: { marker: { color: palette.red } },
        totals: { marker: { color: palette.blue } },
        hovertemplate: `%{x}: %{text} ${text.currency}<extra></extra>`,
      },
    ],
    {
      title: text.title ?? `Expected net value: ${thousands(net)} ${text.currency}`,
      source: text.source,
      axes: {
        xaxis: axis("", { type: "category", showgrid: false }),
        yaxis: axis(`expected value (${text.currency})`, { tickformat: "~s" }),
      },
    },
  );
}

/**
 * Expected value of serving each segment, with intervals where given: which segments pay for the contact and which do not.
 * Columns: `segment`, `value` (expected net value a customer), optionally `low` and `high`.
 * @throws DataError if a column is missing, the table is empty or a value is no number.
 */
export function servingValueFigure(values: ColumnTable, text: MoneyText): Figure {
  const segment = textsOf(values, "segment", "value of serving");
  const value = numbersOf(values, "value", "value of serving");
  const hasInterval = values.columnIndex("low") !== -1 && values.columnIndex("high") !== -1;
  const low = hasInterval ? numbersOf(values, "low", "value of serving") : value;
  const high = hasInterval ? numbersOf(values, "high", "value of serving") : value;
  const paying = segment.filter((_, index) => (low[index] ?? 0) > 0);
  return figureOf(
    [
      {
        type: "bar",
        orientation: "h",
        name: "expected net value",
        y: segment,
        x: value,
        marker: { color: value.map((net) => (net > 0 ? palette.green : palette.red)) },
        hovertemplate: `%{y}: %{x:,.2f} ${text.currency} a customer<extra></extra>`,
        ...(hasInterval
          ? {
              error_x: {
                type: "data",
                symmetric: false,
                array: high.map((edge, index) => edge - (value[index] ?? 0)),
                arrayminus: low.map((edge, index) => (value[index] ?? 0) - edge),
                color: palette.ink,
              },
            }
          : {}),
      },
    ],
    {
      title:
        text.title ??
        `Serving pays in ${paying.length} of ${counted(segment.length, "segments")}${named(paying)}`,
      source: text.source,
      height: 170 + 32 * segment.length,
      axes: {
        xaxis: axis(`expected net value a customer (${text.currency})`, {
          zeroline: true,
          zerolinecolor: palette.ink,
        }),
        yaxis: axis("segment", { autorange: "reversed", showgrid: false, type: "category" }),
      },
    },
  );
}
