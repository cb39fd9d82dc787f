import type { ColumnTable } from "arquero";
import { type CohortMeasure, type CohortTriangle, cohortTriangle } from "../retention/cohorts.js";
import type { Figure } from "./figure.js";
import type { MoneyText } from "./segmentation.js";
import { axis, counted, type FigureText, figureOf, percent, sequential, thousands } from "./theme.js";

/** What a cohort heat map says about itself. */
export interface CohortText extends FigureText {
  /** What a period is, in the plural: "months", "weeks", "quarters"; default "periods". */
  readonly unit?: string;
  /** Currency, needed for measures of money. */
  readonly currency?: string;
}

const measureNames: Readonly<Record<CohortMeasure, string>> = {
  active: "active customers",
  active_share: "share of the cohort active",
  repeat_buying_rate: "repeat-buying rate",
  purchases: "purchases",
  revenue: "revenue",
  cumulative_revenue: "cumulative revenue a customer",
};

const MOST_WRITTEN = 18; // columns in which a number still fits

/**
 * Heat map of cohorts: rows by time of acquisition, columns by age or calendar period. The first period of a cohort, in
 * which everybody buys, does not stretch the colours; a star marks periods that are not over.
 * @throws RangeError if the measure is money and no currency is given, or no cell has a value.
 */
export function cohortHeatMapFigure(triangle: CohortTriangle, text: CohortText = {}): Figure {
  const { measure, alignedBy, cohorts, columns, values, complete } = triangle;
  const { unit = "periods", currency } = text;
  const isMoney = measure === "revenue" || measure === "cumulative_revenue";
  if (isMoney && currency === undefined) throw new RangeError(`currency must be given for ${measure}`);
  const isShare = measure === "active_share" || measure === "repeat_buying_rate";
  const name = isMoney ? `${measureNames[measure]} (${currency})` : measureNames[measure];
  const later = values.flatMap((row) => row.filter(isNumber).slice(measure === "cumulative_revenue" ? 0 : 1));
  const scaled = later.length > 0 ? later : values.flat().filter(isNumber);
  if (scaled.length === 0) throw new RangeError("triangle must have at least one value, got none");
  const size = columns.length <= 12 ? 12 : 10;
  const write = (value: number): string => (isShare ? `${Math.round(value * 100)}%` : shortNumber(value));
  const isCut = values.some((row, y) => row.some((value, x) => isNumber(value) && complete[y]?.[x] !== true));
  const note = isCut ? "; * period not over" : "";
  const at = alignedBy === "age" ? `age %{x}` : "%{x}";
  return figureOf(
    [
      {
        type: "heatmap",
        name: measureNames[measure],
        x: columns,
        y: cohorts,
        z: values,
        text: values.map((row, y) =>
          row.map((value, x) =>
            isNumber(value) ? `${write(value)}${complete[y]?.[x] === true ? "" : "*"}` : "",
          ),
        ),
        ...(columns.length <= MOST_WRITTEN ? { texttemplate: "%{text}", textfont: { size } } : {}),
        xgap: 1,
        ygap: 1,
        colorscale: sequential,
        zmin: Math.min(0, ...scaled),
        zmax: Math.max(...scaled),
        colorbar: {
          title: { text: name, side: "right" },
          thickness: 14,
          outlinewidth: 0,
          ...(isShare ? { tickformat: ".0%" } : {}),
        },
        hovertemplate: `cohort %{y}, ${at}<br>${name}: %{z:${isShare ? ".1%" : ",.0f"}}<extra></extra>`,
        hoverongaps: false,
      },
    ],
    {
      title:
        text.title ??
        cohortFinding(triangle, unit, (value) => (isShare ? percent(value) : amount(value, currency))),
      source: text.source,
      height: Math.max(340, 170 + 26 * cohorts.length),
      axes: {
        xaxis: axis(`${alignedBy === "age" ? `age (${unit} since the first purchase)` : "period"}${note}`, {
          type: "category",
          showgrid: false,
        }),
        yaxis: axis("first purchase", { type: "category", autorange: "reversed", showgrid: false }),
      },
    },
  );
}

/** The range over cohorts in the last column with two of them, observed to the end; else what the last column says. */
function cohortFinding(
  { measure, alignedBy, cohorts, columns, values, complete }: CohortTriangle,
  unit: string,
  write: (value: number) => string,
): string {
  const known = columns.map((_, x) =>
    cohorts.flatMap((cohort, y) => {
      const value = values[y]?.[x];
      return isNumber(value) && complete[y]?.[x] === true ? [{ cohort, value }] : [];
    }),
  );
  const lastWith = (size: number): number =>
    known.reduce((last, { length }, x) => (length >= size ? x : last), 0);
  const column = lastWith(2) || lastWith(1); // at age 0 everybody buys: rather one cohort later
  const cells = known[column] ?? [];
  const [first] = cells;
  const name = capital(measureNames[measure]);
  if (first === undefined) return `${name}: no period of a cohort is over`;
  const least = cells.reduce((low, cell) => (cell.value < low.value ? cell : low), first);
  const most = cells.reduce((high, cell) => (cell.value > high.value ? cell : high), first);
  const period = columns[column] as string;
  const when = alignedBy === "age" ? `${counted(period, unit)} after the first purchase` : `in ${period}`;
  if (cells.length === 1) return `${name} ${when}: ${write(first.value)} (${first.cohort})`;
  if (write(least.value) === write(most.value))
    return `${name} ${when}: ${write(first.value)} in all ${cells.length} cohorts`;
  return `${name} ${when}: from ${write(least.value)} (${least.cohort}) to ${write(most.value)} (${most.cohort})`;
}

/**
 * C3 chart (customer cohort chart): revenue over the calendar, stacked by cohort, the oldest at the bottom: how much of
 * today's revenue rests on customers acquired long ago. `cohorts` is the table of `cohortTable`. A last period that is
 * not over is left out.
 * @throws DataError if a column is missing, the table is empty, or a cell occurs twice.
 * @throws RangeError if no period is over.
 * @see Fader, Hardie & Ross (2022), The Customer-Base Audit, Wharton School Press.
 */
export function cohortRevenueFigure(cohorts: ColumnTable, text: MoneyText): Figure {
  const triangle = cohortTriangle(cohorts, "revenue", "calendar");
  const over = triangle.columns.filter((_, x) =>
    triangle.complete.some((row, y) => row[x] === true && isNumber(triangle.values[y]?.[x])),
  );
  if (over.length === 0) throw new RangeError("cohorts must have at least one period that is over, got none");
  const last = over.length - 1;
  const shown = triangle.cohorts.flatMap((cohort, y) => {
    const revenue = over.map((period) => triangle.values[y]?.[triangle.columns.indexOf(period)] ?? 0);
    return cohort <= (over[last] as string) ? [{ cohort, revenue }] : [];
  });
  const totals = over.map((_, x) => shown.reduce((sum, { revenue }) => sum + (revenue[x] as number), 0));
  const newest = shown.find(({ cohort }) => cohort === over[last])?.revenue[last];
  const peak = totals.indexOf(Math.max(...totals));
  const total = totals[last] as number;
  const finding =
    newest === undefined
      ? `Without new customers revenue in ${over[last]} is ${percent(total / (totals[peak] as number))} of the peak in ${over[peak]}`
      : `${percent(1 - newest / total)} of the revenue in ${over[last]} comes from customers acquired before`;
  return figureOf(
    shown.map(({ cohort, revenue }, place) => ({
      type: "scatter",
      mode: "lines",
      name: cohort,
      x: over,
      y: revenue,
      stackgroup: "cohorts",
      line: { width: 0.5, color: "#FFFFFF" },
      fillcolor: shade(shown.length === 1 ? 1 : place / (shown.length - 1)),
      hovertemplate: `cohort ${cohort} in %{x}: %{y:,.0f} ${text.currency}<extra></extra>`,
    })),
    {
      title: text.title ?? finding,
      source: text.source,
      legend: shown.length <= 6,
      axes: {
        xaxis: axis("period (dark, at the bottom: the oldest cohort)", { type: "category", showgrid: false }),
        yaxis: axis(`revenue (${text.currency})`, { rangemode: "tozero" }),
      },
    },
  );
}

/** From dark (the oldest cohort) to light (the newest), between the stops of the sequential scale. */
function shade(position: number): string {
  const place = 1 - 0.85 * position;
  const above = Math.max(
    1,
    sequential.findIndex(([stop]) => stop >= place),
  );
  const [[from = 0, light = ""] = [], [to = 1, dark = ""] = []] = [sequential[above - 1], sequential[above]];
  const channel = (colour: string, start: number): number =>
    Number.parseInt(colour.slice(start, start + 2), 16);
  const mixed = [1, 3, 5].map((start) => {
    const [one, other] = [channel(light, start), channel(dark, start)];
    return Math.round(one + ((other - one) * (place - from)) / (to - from));
  });
  return `rgb(${mixed.join(",")})`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const isNumber = (value: unknown): value is number => typeof value === "number";

const amount = (value: number, currency: string | undefined): string =>
  currency === undefined ? thousands(value) : `${thousands(value, value < 100 ? 2 : 0)} ${currency}`;

/** 8476 as "8.5k", 318548 as "319k", 2500000 as "2.5M". */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  const [scale, sign] = size >= 999_500 ? [1e6, "M"] : size >= 1000 ? [1e3, "k"] : [1, ""];
  const scaled = value / scale;
  return `${scaled.toFixed(scale > 1 && Math.abs(scaled) < 9.95 ? 1 : 0)}${sign}`;
}
