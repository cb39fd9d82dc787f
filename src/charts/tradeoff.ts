import { compareIds } from "../core/table.js";
import { symmetricEigen } from "../numeric/matrix.js";
import { quantileOf } from "../numeric/quantile.js";
import type { AttributeImportance } from "../tradeoff/importance.js";
import type { PriceResponse } from "../tradeoff/market-response.js";
import type { LevelSummary, LevelUtilities } from "../tradeoff/part-worths.js";
import type { LineFrontier } from "../tradeoff/product-line.js";
import type { MarketSimulation } from "../tradeoff/simulator.js";
import type { WillingnessToPayResult } from "../tradeoff/willingness-to-pay.js";
import type { Figure, Trace } from "./figure.js";
import type { MoneyText } from "./segmentation.js";
import { axis, colorOf, type FigureText, figureOf, palette, percent, shareAxis, thousands } from "./theme.js";

/** One row of a figure that shows estimates with their limits. */
interface Estimate {
  readonly label: string;
  readonly value: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

/** Limits of horizontal estimates as lines with end marks; nothing where there are none. */
function limitsTrace(name: string, rows: readonly Estimate[]): Trace[] {
  const sure = rows.filter(({ low, high }) => low !== undefined && high !== undefined);
  if (sure.length === 0) return [];
  return [
    {
      type: "scatter",
      mode: "lines+markers",
      name,
      x: sure.flatMap(({ low, high }) => [low as number, high as number, null]), // null lifts the pen
      y: sure.flatMap(({ label }) => [label, label, null]),
      line: { color: palette.ink, width: 1.5 },
      marker: { color: palette.ink, symbol: "line-ns-open", size: 10, line: { width: 1.5 } },
      hovertemplate: "%{y}: limit at %{x:.3~g}<extra></extra>",
    },
  ];
}

/** Ticks of money: cents where amounts are small. */
const moneyTicks = (values: readonly number[]): string =>
  Math.max(...values.map(Math.abs)) < 10 ? ",.2f" : ",.0f";

const categories = (title: string, count: number): Record<string, unknown> =>
  axis(title, { type: "category", range: [count - 0.5, -0.5], showgrid: false });

/** Importance of each attribute with its limits, the most important on top. */
export function importanceFigure(importance: AttributeImportance, text: FigureText = {}): Figure {
  const rows = [...importance.attributes]
    .sort((a, b) => b.importance - a.importance)
    .map(({ attribute, importance: value, low, high }) => ({ label: attribute, value, low, high }));
  const [first, second] = rows;
  const isSure = first && second && first.low > second.high;
  const lead = first ? `"${first.label}" decides most: ${percent(first.value)} of the importance` : "";
  const rest = second
    ? `, ${isSure ? "ahead of" : "not surely more than"} "${second.label}" (${percent(second.value)})`
    : "";
  return figureOf(
    [
      {
        type: "bar",
        orientation: "h",
        name: "importance",
        x: rows.map(({ value }) => value),
        y: rows.map(({ label }) => label),
        marker: { color: palette.sky },
        hovertemplate: "%{y}: %{x:.1%}<extra></extra>",
      },
      ...limitsTrace(`${percent(importance.level)} limits`, rows),
    ],
    {
      title: text.title ?? lead + rest,
      source: text.source,
      height: 170 + 46 * rows.length,
      legend: true,
      axes: {
        xaxis: shareAxis("importance: share of the sum of utility ranges, mean over respondents"),
        yaxis: categories("attribute", rows.length),
      },
    },
  );
}

/** Utility of every level with its limits, attribute after attribute. */
export function partWorthsFigure(
  levels: readonly LevelSummary[],
  text: FigureText & {
    /** Unit of the utilities; "utility" unless given. */
    readonly unit?: string;
  } = {},
): Figure {
  const { unit = "utility" } = text;
  const label = ({ attribute, level }: LevelSummary): string => `${attribute}: ${level}`;
  const attributes = [...new Set(levels.map(({ attribute }) => attribute))];
  const widest = attributes
    .map((attribute) => {
      const own = levels.filter((level) => level.attribute === attribute);
      const best = own.reduce((most, level) => (level.utility > most.utility ? level : most));
      const worst = own.reduce((least, level) => (level.utility < least.utility ? level : least));
      return { best, worst, range: best.utility - worst.utility };
    })
    .reduce((most, one) => (one.range > most.range ? one : most));
  return figureOf(
    [
      ...limitsTrace(
        "limits",
        levels.map((level) => ({
          label: label(level),
          value: level.utility,
          low: level.low,
          high: level.high,
        })),
      ),
      ...attributes.map((attribute, place): Trace => {
        const own = levels.filter((level) => level.attribute === attribute);
        return {
          type: "scatter",
          mode: "markers",
          name: attribute,
          showlegend: false, // the axis names it
          x: own.map(({ utility }) => utility),
          y: own.map(label),
          marker: { color: colorOf(place), size: 10 },
          hovertemplate: "%{y}: %{x:.3~g}<extra></extra>",
        };
      }),
    ],
    {
      title:
        text.title ??
        `The widest step is from "${label(widest.worst)}" to "${label(widest.best)}": ${widest.range.toPrecision(3)}`,
      source: text.source,
      height: 170 + 28 * levels.length,
      legend: true,
      axes: {
        xaxis: axis(unit, { zeroline: true, zerolinecolor: palette.ink }),
        yaxis: categories("level", levels.length),
      },
    },
  );
}

/** What respondents would pay for each attribute, with the limits of Krinsky and Robb. */
export function willingnessToPayFigure(result: WillingnessToPayResult, text: MoneyText): Figure {
  const rows = [...result.values]
    .sort((a, b) => b.value - a.value)
    .map(({ attribute, value, krinskyRobb: [low, high] }) => ({ label: attribute, value, low, high }));
  const [best] = rows;
  const money = (value: number): string => thousands(value, Math.abs(value) < 100 ? 2 : 0);
  return figureOf(
    [
      ...limitsTrace(`${percent(result.level)} limits`, rows),
      {
        type: "scatter",
        mode: "markers",
        name: "willingness to pay",
        x: rows.map(({ value }) => value),
        y: rows.map(({ label }) => label),
        marker: { color: palette.blue, size: 10 },
        hovertemplate: `%{y}: %{x:,.2f} ${text.currency}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        (best
          ? `Respondents would pay ${money(best.value)} ${text.currency} for "${best.label}" (${percent(result.level)} limits ${money(best.low)} to ${money(best.high)})`
          : "There is nothing but the price"),
      source: text.source,
      height: 180 + 40 * rows.length,
      legend: true,
      axes: {
        xaxis: axis(`willingness to pay for one unit more (${text.currency})`, {
          rangemode: "tozero",
          zeroline: true,
          zerolinecolor: palette.ink,
        }),
        yaxis: categories("attribute", rows.length),
      },
    },
  );
}

/** Simulated shares of products with their limits, in the order of the market. */
export function marketSharesFigure(
  simulation: MarketSimulation,
  text: FigureText & {
    /** Product to be told apart by colour, such as one's own. */
    readonly own?: string;
  } = {},
): Figure {
  const rows = simulation.shares.map(({ product, share, low, high }) => ({
    label: product,
    value: share,
    low,
    high,
  }));
  const told = rows.find(({ label }) => label === text.own);
  const best = told ?? rows.reduce((most, row) => (row.value > most.value ? row : most));
  const limits =
    best.low === undefined || best.high === undefined
      ? ""
      : ` (${percent(simulation.level ?? 0)} limits ${percent(best.low)} to ${percent(best.high)})`;
  const isLikelihood = simulation.rule === "purchase likelihood";
  return figureOf(
    [
      {
        type: "bar",
        orientation: "h",
        name: isLikelihood ? "purchase likelihood" : "share",
        x: rows.map(({ value }) => value),
        y: rows.map(({ label }) => label),
        marker: { color: rows.map(({ label }) => (label === text.own ? palette.orange : palette.sky)) },
        hovertemplate: "%{y}: %{x:.1%}<extra></extra>",
      },
      ...limitsTrace(`${percent(simulation.level ?? 0)} limits`, rows),
    ],
    {
      title:
        text.title ??
        `"${best.label}" ${isLikelihood ? "would be bought by" : "takes"} ${percent(best.value)}${isLikelihood ? " of respondents" : " of purchases"}${limits}`,
      source: text.source,
      height: 170 + 42 * rows.length,
      legend: rows.some(({ low }) => low !== undefined),
      axes: {
        xaxis: shareAxis(
          `${isLikelihood ? "purchase likelihood" : "share of purchases"}, rule: ${simulation.rule}`,
        ),
        yaxis: categories("product", rows.length),
      },
    },
  );
}

/** Share of a product over its price, and below it revenue and profit with the price of the highest profit. */
export function priceResponseFigure(response: PriceResponse, text: MoneyText): Figure {
  const { points, bestProfit, product, alsoOwn, level } = response;
  const prices = points.map(({ price }) => price);
  const sure = points.filter(({ low, high }) => low !== undefined && high !== undefined);
  const winner = points.find(({ price }) => price === bestProfit.price);
  const money = (value: number): string => thousands(value, Math.abs(value) < 100 ? 2 : 0);
  const others = alsoOwn.length > 0 ? ` with ${alsoOwn.join(", ")}` : "";
  const limits =
    bestProfit.low === undefined || bestProfit.high === undefined
      ? ""
      : ` (${percent(level ?? 0)} limits ${money(bestProfit.low)} to ${money(bestProfit.high)})`;
  const curve = (name: string, y: readonly number[], color: string, yaxis: string): Trace => ({
    type: "scatter",
    mode: "lines+markers",
    name,
    x: prices,
    y,
    yaxis,
    line: { color, width: 2 },
    marker: { color, size: 5 },
    hovertemplate: `${name} at %{x:,.2f} ${text.currency}: %{y:.3~g}<extra></extra>`,
  });
  return figureOf(
    [
      ...(sure.length > 0
        ? [
            {
              type: "scatter",
              mode: "lines",
              name: `${percent(level ?? 0)} band of the share`,
              x: [...sure.map(({ price }) => price), ...sure.map(({ price }) => price).reverse()],
              y: [...sure.map(({ high }) => high), ...sure.map(({ low }) => low).reverse()],
              fill: "toself",
              fillcolor: `${palette.blue}33`,
              line: { width: 0, color: palette.blue },
              hoverinfo: "skip",
            },
          ]
        : []),
      curve(
        "share",
        points.map(({ share }) => share),
        palette.blue,
        "y",
      ),
      curve(
        "revenue",
        points.map(({ revenue }) => revenue),
        palette.orange,
        "y2",
      ),
      curve(
        `profit${others}`,
        points.map(({ profit }) => profit),
        palette.green,
        "y2",
      ),
      {
        type: "scatter",
        mode: "markers",
        name: "highest profit",
        x: [bestProfit.price],
        y: [bestProfit.value],
        yaxis: "y2",
        marker: { color: palette.ink, size: 11, symbol: "circle-open", line: { width: 2 } },
        hovertemplate: `%{x:,.2f} ${text.currency}: %{y:,.2f} ${text.currency}<extra></extra>`,
      },
    ],
    {
      title:
        text.title ??
        `"${product}"${others} earns most at ${money(bestProfit.price)} ${text.currency}${limits}, with ${percent(winner?.share ?? 0)} of purchases`,
      source: text.source,
      height: 560,
      legend: true,
      axes: {
        xaxis: axis(`price (${text.currency})`, { anchor: "y2" }),
        yaxis: shareAxis("share of purchases", { domain: [0.56, 1] }),
        yaxis2: axis(`money (${text.currency})`, {
          domain: [0, 0.44],
          rangemode: "tozero",
          tickformat: moneyTicks(points.map(({ revenue }) => revenue)),
        }),
      },
    },
  );
}

/** What the best line of each size is worth. */
export function lineFrontierFigure({ lines, bestSize }: LineFrontier, text: MoneyText): Figure {
  const sizes = lines.map(({ products }) => products.length);
  const best = lines.find(({ products }) => products.length === bestSize);
  const objective = best?.objective ?? "profit";
  const show = (value: number): string =>
    objective === "share"
      ? percent(value)
      : `${thousands(value, Math.abs(value) < 100 ? 2 : 0)} ${text.currency}`;
  const names = best?.products.map(({ product }) => product).join(", ") ?? "";
  const count = `${bestSize} ${bestSize === 1 ? "product" : "products"}`;
  const title =
    bestSize === sizes.at(-1) && bestSize > 1
      ? `The longest line tried is the best: ${count} bring ${show(best?.value ?? 0)}`
      : `${count} ${bestSize === 1 ? "is" : "are"} enough: ${names} ${bestSize === 1 ? "brings" : "bring"} ${show(best?.value ?? 0)}`;
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines+markers",
        name: "best line of each size",
        x: sizes,
        y: lines.map(({ value }) => value),
        text: lines.map(({ products }) => products.map(({ product }) => product).join(", ")),
        line: { color: palette.blue, width: 2 },
        marker: { size: 8, color: sizes.map((size) => (size === bestSize ? palette.orange : palette.blue)) },
        hovertemplate: "%{text}<br>%{y:,.3~g}<extra></extra>",
      },
    ],
    {
      title: text.title ?? title,
      source: text.source,
      axes: {
        xaxis: axis("products in the line", { dtick: 1, showgrid: false }),
        yaxis:
          objective === "share"
            ? shareAxis("share of purchases")
            : axis(`${objective} (${text.currency})`, {
                rangemode: "tozero",
                tickformat: moneyTicks(lines.map(({ value }) => value)),
              }),
      },
    },
  );
}

const NAMED_LEVELS = 6;

/**
 * Map of respondents by what they want: the two directions in which their utilities differ most (principal components), with
 * the levels that point furthest. Respondents near a level like it more than others do.
 * @param utilities Zero-centred differences (`zeroCentredDifferences`), so that respondents are comparable.
 * @throws RangeError if there are fewer than three respondents or two levels, or segments do not fit them.
 */
export function utilitiesMapFigure(
  utilities: LevelUtilities,
  text: FigureText & {
    /** Segment of each respondent, told apart by colour. */
    readonly segments?: ArrayLike<string | number>;
  } = {},
): Figure {
  const { values, respondents } = utilities;
  const size = values[0]?.length ?? 0;
  const n = values.length;
  if (n < 3 || size < 2)
    throw new RangeError(`utilities must be of at least 3 respondents and 2 levels, got ${n} and ${size}`);
  const { segments } = text;
  if (segments && segments.length !== n)
    throw new RangeError(`segments must be one for each of the ${n} respondents, got ${segments.length}`);
  const mean = Float64Array.from({ length: size }, (_, j) =>
    values.reduce((sum, row) => sum + (row[j] as number) / n, 0),
  );
  const centred = values.map((row) => row.map((value, j) => value - (mean[j] as number)));
  const covariance = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_unused, j) =>
      centred.reduce((sum, row) => sum + ((row[i] as number) * (row[j] as number)) / (n - 1), 0),
    ),
  );
  const { values: variances, vectors } = symmetricEigen(covariance);
  const total = variances.reduce((sum, value) => sum + value, 0);
  const [x, y] = [vectors.at(-1) as number[], vectors.at(-2) as number[]];
  const explained = [variances.at(-1) as number, variances.at(-2) as number].map((v) =>
    total > 0 ? v / total : 0,
  );
  const along = (row: Float64Array, vector: readonly number[]): number =>
    vector.reduce((sum, value, j) => sum + value * (row[j] as number), 0);
  const labels = utilities.attributes.flatMap(({ attribute, levels }) =>
    levels.map((level) => `${attribute}: ${level}`),
  );
  const reach = centred.map((row) => Math.hypot(along(row, x), along(row, y)));
  // A level points to where respondents like it more, as far as its utility varies in that direction.
  const [deviationX, deviationY] = [variances.at(-1), variances.at(-2)].map((v) =>
    Math.sqrt(Math.max(0, v ?? 0)),
  );
  const pointers = labels
    .map((label, j) => ({
      label,
      x: (x[j] as number) * (deviationX as number),
      y: (y[j] as number) * (deviationY as number),
    }))
    .sort((a, b) => Math.hypot(b.x, b.y) - Math.hypot(a.x, a.y))
    .slice(0, NAMED_LEVELS);
  const longest = Math.hypot(pointers[0]?.x ?? 0, pointers[0]?.y ?? 0);
  const stretch = longest > 0 ? quantileOf(reach, 0.9) / longest : 0;
  const named = pointers.map((level) => ({ ...level, x: level.x * stretch, y: level.y * stretch }));
  const heights = [...named.map((level) => level.y), ...centred.map((row) => along(row, y))];
  const [lowest, highest] = [Math.min(...heights), Math.max(...heights)];
  const groups = segments ? [...new Set(Array.from(segments))].sort(compareIds) : ["respondents"];
  return figureOf(
    [
      ...groups.map((group, place): Trace => {
        const members = Array.from(centred.keys()).filter((who) => !segments || segments[who] === group);
        return {
          type: "scatter",
          mode: "markers",
          name: String(group),
          x: members.map((who) => along(centred[who] as Float64Array, x)),
          y: members.map((who) => along(centred[who] as Float64Array, y)),
          text: members.map((who) => String(respondents[who])),
          marker: { color: `${colorOf(place)}99`, size: 7 },
          hovertemplate: "respondent %{text}<extra></extra>",
        };
      }),
      {
        type: "scatter",
        mode: "lines",
        name: "direction of a level",
        x: named.flatMap((level) => [0, level.x, null]),
        y: named.flatMap((level) => [0, level.y, null]),
        line: { color: palette.ink, width: 1.5 },
        hoverinfo: "skip",
      },
    ],
    {
      title:
        text.title ??
        `Tastes differ most over "${named[0]?.label}": two directions hold ${percent((explained[0] as number) + (explained[1] as number))} of all differences`,
      source: text.source,
      height: 560,
      legend: true,
      axes: {
        xaxis: axis(`first direction (${percent(explained[0] as number)} of differences), points`, {
          zeroline: true,
        }),
        yaxis: axis(`second direction (${percent(explained[1] as number)}), points`, { zeroline: true }),
      },
      extra: {
        annotations: apart(named, LABEL_ROOM * (highest - lowest)).map((level) => ({
          text: `<b>${level.label}</b>`,
          x: level.x,
          y: level.y,
          xanchor: level.x < 0 ? "right" : "left",
          bgcolor: "#FFFFFFBB",
          showarrow: false,
        })),
      },
    },
  );
}

const LABEL_ROOM = 0.05; // of the height of a map

/** Labels of each side moved up where they would lie on each other. */
const apart = <Label extends { readonly x: number; readonly y: number }>(
  labels: readonly Label[],
  room: number,
): Label[] =>
  [labels.filter(({ x }) => x < 0), labels.filter(({ x }) => x >= 0)].flatMap((side) => {
    let least = Number.NEGATIVE_INFINITY;
    return [...side]
      .sort((a, b) => a.y - b.y)
      .map((label) => {
        const y = Math.max(label.y, least);
        least = y + room;
        return { ...label, y };
      });
  });

/** Information criterion by number of classes: the lowest is to be chosen. */
export function classChoiceFigure(
  choices: readonly { readonly classes: number; readonly bic: number }[],
  text: FigureText = {},
): Figure {
  const first = choices[0];
  if (!first) throw new RangeError("choices must be at least one, got none");
  const best = choices.reduce((least, one) => (one.bic < least.bic ? one : least));
  const next = choices
    .filter((one) => one !== best)
    .reduce<number | undefined>((least, { bic }) => Math.min(least ?? bic, bic), undefined);
  const lead = next === undefined ? "" : `, ${thousands(next - best.bic, 1)} below the next best`;
  return figureOf(
    [
      {
        type: "scatter",
        mode: "lines+markers",
        name: "BIC",
        x: choices.map(({ classes }) => classes),
        y: choices.map(({ bic }) => bic),
        line: { color: palette.blue, width: 2 },
        marker: { size: 9, color: choices.map((one) => (one === best ? palette.orange : palette.blue)) },
        hovertemplate: "%{x} classes: BIC %{y:,.1f}<extra></extra>",
      },
    ],
    {
      title:
        text.title ??
        `BIC is lowest with ${best.classes} ${best.classes === 1 ? "class" : "classes"}: ${thousands(best.bic, 1)}${lead}`,
      source: text.source,
      axes: {
        xaxis: axis("classes", { dtick: 1, showgrid: false }),
        yaxis: axis("BIC (lower is better)", { tickformat: ",.0f" }),
      },
    },
  );
}
