import { requireAbove, requireFinite } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { NONE } from "./attributes.js";
import {
  codeAt,
  codesOf,
  hasAttribute,
  hasCode,
  type Market,
  numberOf,
  type ProductSpec,
  placeOf,
  requireKnownNames,
  withCode,
} from "./market.js";
import { type AttributeLevels, codeRow, type PartWorths, spreadOf } from "./part-worths.js";
import {
  type MarketShare,
  type MarketSimulation,
  type SimulationOptions,
  simulateMarket,
} from "./simulator.js";

/** What a market is worth to the seller of each product. */
export interface MarketValue {
  readonly product: string;
  /** Units sold. */
  readonly units: number;
  /** Units times price, in money. */
  readonly revenue: number;
  /** Units times price less unit cost, less fixed cost, in money. */
  readonly profit: number;
  /** Limits of the profit, where the shares have limits. */
  readonly low?: number;
  readonly high?: number;
}

/**
 * Units, revenue and profit of every product at the simulated shares.
 * `options.marketSize`: Units that are bought altogether (or would be: none and unserved buyers count).
 * @throws DataError if prices or unit costs are missing or bad, or the simulation is of other products; RangeError if the market
 * size is not above 0.
 */
export function marketValue(
  simulation: MarketSimulation,
  market: Market,
  options: { readonly marketSize: number; readonly fixedCosts?: ArrayLike<number> },
): readonly MarketValue[] {
  const { marketSize, fixedCosts } = options;
  requireAbove("marketSize", marketSize, 0);
  const simulated = simulation.shares.map((one) => one.product).filter((product) => product !== NONE);
  if (simulated.length !== market.products.length || simulated.some((name, j) => name !== market.products[j]))
    throw new DataError(
      `simulation must be of the products ${market.products.join(", ")}, got ${simulated.join(", ")}`,
    );
  return market.products.map((product, j) => {
    const price = numberOf("price", market.prices, j, product);
    const margin = price - numberOf("unit cost", market.unitCosts, j, product);
    const fixed = fixedCosts ? numberOf("fixed cost", fixedCosts, j, product) : 0;
    const { share, low, high } = simulation.shares[j] as MarketShare;
    const units = share * marketSize;
    const profitAt = (part: number): number => part * marketSize * margin - fixed;
    const ends = low === undefined || high === undefined ? [] : [profitAt(low), profitAt(high)];
    return Object.freeze({
      product,
      units,
      revenue: units * price,
      profit: profitAt(share),
      ...(ends.length > 0 ? { low: Math.min(...ends), high: Math.max(...ends) } : {}),
    });
  });
}

/** Where the buyers of a product come from. */
export interface SourceOfVolume {
  /** The product that enters. */
  readonly added: string;
  /** Its share. */
  readonly share: number;
  /** The other products, and none, before and after. */
  readonly sources: readonly {
    readonly product: string;
    readonly before: number;
    readonly after: number;
    /** Part of the new product's share that this one loses to it. */
    readonly part: number;
    /** Limits of what it loses, as a share of the market, where there are samples. */
    readonly low?: number;
    readonly high?: number;
  }[];
}

/**
 * Shares before and after one product of the market enters, and whose buyers it takes.
 * @throws as `simulateMarket`; RangeError for a product that is not in the market, or purchase likelihood, where products do
 * not compete.
 */
export function sourceOfVolume(
  partWorths: PartWorths,
  market: Market,
  added: string,
  options: SimulationOptions = {},
): SourceOfVolume {
  const { rule, level = 0.9, constants } = options;
  if (rule === "purchase likelihood")
    throw new RangeError("source of volume needs a rule by which products compete, got purchase likelihood");
  const j = placeOf(market, added);
  const kept = market.products.flatMap((_, place) => (place === j ? [] : [place]));
  const pick = (column: ArrayLike<number>): number[] => kept.map((place) => column[place] as number);
  const before = simulateMarket(
    partWorths,
    {
      products: kept.map((place) => market.products[place] as string),
      attributes: Object.fromEntries(
        Object.entries(market.attributes).map(([name, column]) => [name, pick(column)]),
      ),
      ...(market.awareness ? { awareness: pick(market.awareness) } : {}),
      ...(market.distribution ? { distribution: pick(market.distribution) } : {}),
    },
    {
      ...options,
      constants: Object.fromEntries(Object.entries(constants ?? {}).filter(([name]) => name !== added)),
    },
  );
  const after = simulateMarket(partWorths, market, options);
  const { share } = after.shares[j] as MarketShare;
  return Object.freeze({
    added,
    share,
    sources: before.shares.map((one, place) => {
      const now = place < j ? place : place + 1;
      const own = after.shares[now] as MarketShare;
      const [then, later] = [before.samples?.[place], after.samples?.[now]];
      const lost = then && later ? then.map((value, draw) => value - (later[draw] as number)) : undefined;
      const { low, high } = lost ? spreadOf(lost, level) : {};
      return {
        product: one.product,
        before: one.share,
        after: own.share,
        part: share > 0 ? (one.share - own.share) / share : 0,
        ...(low !== undefined && high !== undefined ? { low, high } : {}),
      };
    }),
  });
}

/** Share of a product if one of its levels were another. */
export interface Sensitivity extends MarketShare {
  readonly attribute: string;
  readonly level: string;
  /** Share less that of the product as it is. */
  readonly change: number;
  /** Whether the product has this level now. */
  readonly current: boolean;
  /** Attributes that come with this level, and the levels at which they come; left out if none do. */
  readonly gained?: ProductSpec["levels"];
  /** Attributes that go with the level of now; left out if none do. */
  readonly lost?: readonly string[];
}

/** How a market is simulated when one product changes. */
export interface MarketSensitivityOptions extends SimulationOptions {
  /** Levels of the attributes that the product does not have now, but gains by a level of another. */
  readonly gained?: ProductSpec["levels"];
}

/** Attributes asked for, and others that they may depend on. */
const withOthers = (
  attributes: readonly AttributeLevels[],
  others: readonly AttributeLevels[] = [],
): readonly AttributeLevels[] => [
  ...attributes,
  ...others.filter((other) => attributes.every(({ attribute }) => attribute !== other.attribute)),
];

/**
 * What a product would have with every other level of every attribute, all else as it is. Attributes that the product does
 * not have are left out; those that it loses with a level go, those that it gains come at their level of `gained`.
 * Interactions change with their attributes.
 * @param attributes The attributes to vary; with `options.levels` all whose levels decide which others a product has.
 * @throws as `simulateMarket`; DataError if the product would gain an attribute without a level in `gained`; RangeError for a
 * product that is not in the market, or if levels of an attribute are missing that another depends on.
 */
export function sensitivity(
  partWorths: PartWorths,
  market: Market,
  product: string,
  attributes: readonly AttributeLevels[],
  { gained = {}, ...options }: MarketSensitivityOptions = {},
): readonly Sensitivity[] {
  const j = placeOf(market, product);
  const all = withOthers(attributes, options.levels);
  requireKnownNames(
    "gained: attribute",
    Object.keys(gained),
    all.map(({ attribute }) => attribute),
  );
  const now = simulateMarket(partWorths, market, options).shares[j] as MarketShare;
  const codeIn = codesOf(market, j);
  return attributes
    .filter((attribute) => hasAttribute(attribute, all, codeIn, product))
    .flatMap((attribute) =>
      attribute.levels.map(({ level, code }) => {
        codeRow(partWorths.names, code, `attribute ${attribute.attribute}`);
        const changed = withCode(market, j, attribute, code, all, gained);
        const then = simulateMarket(partWorths, changed.market, options).shares[j] as MarketShare;
        return Object.freeze({
          attribute: attribute.attribute,
          level,
          ...then,
          change: then.share - now.share,
          current: hasCode(attribute, code, codeIn),
          ...(Object.keys(changed.gained).length > 0 ? { gained: changed.gained } : {}),
          ...(changed.lost.length > 0 ? { lost: changed.lost } : {}),
        });
      }),
    );
}

/** Demand at one price. */
export interface PricePoint {
  readonly price: number;
  /** Share at this price, with limits where there are samples. */
  readonly share: number;
  readonly low?: number;
  readonly high?: number;
  readonly units: number;
  /** Money. */
  readonly revenue: number;
  /** Money; revenue less unit costs, and with `ownMargins` what the seller's other products earn beside it. */
  readonly profit: number;
  /** Arc elasticity to the next price: relative change of the share over that of the price, both from the midpoint. */
  readonly arcElasticity?: number;
}

/** A price that is best by some count. */
export interface BestPrice {
  readonly price: number;
  /** Money earned there. */
  readonly value: number;
  /** Prices that are best in the resamples, where there are any. */
  readonly low?: number;
  readonly high?: number;
}

/** Demand and revenue of a product over its price, and profit from it or from all own products. */
export interface PriceResponse {
  readonly product: string;
  /** The seller's other products whose margins the profit counts. */
  readonly alsoOwn: readonly string[];
  /** Coverage of all limits, where there are any. */
  readonly level?: number;
  readonly points: readonly PricePoint[];
  /** Price of the highest revenue among those tried. */
  readonly bestRevenue: BestPrice;
  /** Price of the highest profit among those tried. */
  readonly bestProfit: BestPrice;
  /** What makes the best prices doubtful. */
  readonly warnings: readonly string[];
}

/** What a price response is computed for. */
export interface PriceQuestion {
  readonly product: string;
  /** The price: an attribute of amounts. */
  readonly attribute: AttributeLevels;
  /** Prices to try, rising, within those shown to respondents. */
  readonly prices: readonly number[];
  /** Cost of a unit in money; 0 unless given. */
  readonly unitCost?: number;
  /**
   * The seller's other products and what a unit of each earns, in money. Given these, profit is that of all own products, so
   * that buyers whom a low price takes from them count as the loss they are; revenue stays that of the one product.
   */
  readonly ownMargins?: Readonly<Record<string, number>>;
  /** Units that are bought altogether; 1 unless given: revenue and profit are then for each buyer. */
  readonly marketSize?: number;
}

/**
 * Share, revenue and profit of a product at each price, others' prices as they are, and the best prices: alone, or for a
 * seller of other products too.
 * @throws as `simulateMarket`; DataError if the product does not have the price, an attribute for some products only (whose
 * levels, with those it depends on, `options.levels` must then give); RangeError if prices do not rise, are fewer than two, or
 * go beyond those shown, or the product or another own one is not in the market.
 */
export function priceResponse(
  partWorths: PartWorths,
  market: Market,
  question: PriceQuestion,
  options: SimulationOptions = {},
): PriceResponse {
  const { product, attribute, prices, unitCost = 0, ownMargins = {}, marketSize = 1 } = question;
  requireAbove("marketSize", marketSize, 0);
  requireFinite({ unitCost });
  if (prices.length < 2 || prices.some((price, place) => price <= (prices[place - 1] ?? -Infinity)))
    throw new RangeError(`prices must be at least two that rise, got ${prices.join(", ")}`);
  const j = placeOf(market, product);
  const others = Object.entries(ownMargins).map(([name, margin]) => {
    if (name === product)
      throw new RangeError(
        `ownMargins must be of products other than ${product}, whose margin is its price less unitCost`,
      );
    requireFinite({ [`margin of ${name}`]: margin });
    return { place: placeOf(market, name), margin };
  });
  const all = withOthers([attribute], options.levels);
  const simulated = prices.map((price) =>
    simulateMarket(partWorths, withCode(market, j, attribute, codeAt(attribute, price), all).market, options),
  );
  const revenueOf: Earning = (price, shareOf) => shareOf(j) * marketSize * price;
  const profitOf: Earning = (price, shareOf) =>
    others.reduce(
      (sum, { place, margin }) => sum + shareOf(place) * marketSize * margin,
      shareOf(j) * marketSize * (price - unitCost),
    );
  const shareAt =
    (at: number) =>
    (k: number): number =>
      simulated[at]?.shares[k]?.share as number;
  const points = prices.map((price, at) => {
    const { share, low, high } = (simulated[at] as MarketSimulation).shares[j] as MarketShare;
    const next = prices[at + 1];
    const then = next === undefined ? 0 : shareAt(at + 1)(j);
    return {
      price,
      share,
      ...(low === undefined || high === undefined ? {} : { low, high }),
      units: share * marketSize,
      revenue: revenueOf(price, shareAt(at)),
      profit: profitOf(price, shareAt(at)),
      ...(next === undefined || share + then === 0
        ? {}
        : { arcElasticity: arcElasticity([price, next], [share, then]) }),
    };
  });
  const level = simulated[0]?.level;
  const best = (earning: Earning): BestPrice => {
    const earned = prices.map((price, at) => earning(price, shareAt(at)));
    const winner = placeOfMost(earned);
    const winners = Float64Array.from(simulated[0]?.samples?.[j] ?? [], (_, draw) => {
      const drawn = prices.map((price, at) =>
        earning(price, (k) => simulated[at]?.samples?.[k]?.[draw] as number),
      );
      return prices[placeOfMost(drawn)] as number;
    });
    const { low, high } = level === undefined ? {} : spreadOf(winners, level);
    return {
      price: prices[winner] as number,
      value: earned[winner] as number,
      ...(low === undefined || high === undefined ? {} : { low, high }),
    };
  };
  const [bestRevenue, bestProfit] = [best(revenueOf), best(profitOf)];
  const edges = [prices[0], prices.at(-1)];
  const atEdge = Object.entries({ revenue: bestRevenue, profit: bestProfit }).filter(([, { price }]) =>
    edges.includes(price),
  );
  return Object.freeze({
    product,
    alsoOwn: Object.keys(ownMargins),
    ...(level === undefined ? {} : { level }),
    points,
    bestRevenue,
    bestProfit,
    warnings: atEdge.map(
      ([name, { price }]) =>
        `the highest ${name} is at ${price}, an end of the prices tried: the best price may lie beyond`,
    ),
  });
}

/** Money earned at a price, when the products have some shares. */
type Earning = (price: number, shareOf: (product: number) => number) => number;

const placeOfMost = (values: readonly number[]): number =>
  values.reduce((best, value, place) => (value > (values[best] as number) ? place : best), 0);

/** Relative change of the second pair over that of the first, each from its midpoint. */
const arcElasticity = (
  [price, next]: readonly [number, number],
  [share, then]: readonly [number, number],
): number => ((then - share) / (then + share)) * ((next + price) / (next - price));

/** How shares react to prices. */
export interface PriceElasticities {
  readonly products: readonly string[];
  /** Row: whose price changes; column: whose share. For the change asked for, from midpoint to midpoint. */
  readonly arc: readonly (readonly number[])[];
  /** The same for an infinitesimal change, where the rule is smooth. */
  readonly point?: readonly (readonly number[])[];
}

const POINT_STEP = 1e-4; // of the price

/**
 * Own and cross price elasticities: relative change of a share over the relative change of a price. Prices go up and down by
 * half the change, or as far as those shown to respondents.
 * @param attribute The price; several where some products have a price of their own.
 * @param change Whole relative change of a price; 0.1 unless given.
 * @throws as `simulateMarket`; DataError if the market has no prices, a product has no share at all, or does not have the price
 * (for what `options.levels` must give, see `priceResponse`); RangeError if the change is not between 0 and 1, or a price is
 * beyond those shown.
 */
export function priceElasticities(
  partWorths: PartWorths,
  market: Market,
  attribute: AttributeLevels | readonly AttributeLevels[],
  { change = 0.1, ...options }: SimulationOptions & { readonly change?: number } = {},
): PriceElasticities {
  if (!(change > 0 && change < 1)) throw new RangeError(`change must be between 0 and 1, got ${change}`);
  const { random: unused, ...steady } = options; // no limits: noise only where the rule is of noise
  const setting = options.rule === "randomised first choice" ? { ...options, resamples: 100 } : steady;
  const ofPrice: readonly AttributeLevels[] = [attribute].flat();
  const all = withOthers(ofPrice, options.levels);
  const matrix = (relative: number): number[][] =>
    market.products.map((product, j) => {
      const price = numberOf("price", market.prices, j, product);
      const own = ofPrice.find((one) => hasAttribute(one, all, codesOf(market, j), product));
      if (!own)
        throw new DataError(
          `${product} must have a price for an elasticity, but has none of ${ofPrice.map((one) => one.attribute).join(", ")}`,
        );
      codeAt(own, price); // refuses a price beyond those shown
      const amounts = own.levels.map(({ value }) => value as number);
      const [least, most] = [Math.min(...amounts), Math.max(...amounts)];
      const ends = [
        Math.max(least, price * (1 - relative / 2)),
        Math.min(most, price * (1 + relative / 2)),
      ] as const;
      const [low, high] = ends.map((end) =>
        simulateMarket(partWorths, withCode(market, j, own, codeAt(own, end), all).market, setting),
      );
      return market.products.map((other, k) => {
        const [before, after] = [low, high].map((one) => (one as MarketSimulation).shares[k]?.share);
        if (before === 0 && after === 0)
          throw new DataError(`${other} must have a share for an elasticity, got 0 at either price`);
        return arcElasticity(ends, [before as number, after as number]);
      });
    });
  const smooth = options.rule !== "first choice" && options.rule !== "randomised first choice";
  return Object.freeze({
    products: market.products,
    arc: matrix(change),
    ...(smooth ? { point: matrix(POINT_STEP) } : {}),
  });
}

/** The exponent at which a simulated market is nearest to the real one. */
export interface ExponentTuning {
  readonly exponent: number;
  /** Sum of known shares times the log of simulated ones. */
  readonly logLikelihood: number;
  /** Known and simulated shares. */
  readonly shares: readonly {
    readonly product: string;
    readonly known: number;
    readonly simulated: number;
  }[];
  /** Mean absolute difference of the shares, as a fraction of the market. */
  readonly meanAbsoluteError: number;
  /** Whether the search ended at a limit. */
  readonly warnings: readonly string[];
}

const EXPONENTS = [1e-3, 1e3] as const;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The exponent under which the simulated shares make known ones most likely (multinomial). Surveys are often surer or less
 * sure than markets; below 1 shares are evened out, above 1 sharpened towards first choice.
 * @param known Share of every alternative by name, adding up to 1.
 * @throws as `simulateMarket`; DataError if a known share is missing or bad, or they do not add up to 1; RangeError for a
 * rule that the exponent does not change.
 */
export function tuneExponent(
  partWorths: PartWorths,
  market: Market,
  known: Readonly<Record<string, number>>,
  options: Omit<SimulationOptions, "exponent"> = {},
): ExponentTuning {
  if (options.rule === "first choice" || options.rule === "purchase likelihood") {
    throw new RangeError(
      `rule must be one whose shares add up and depend on the exponent, got ${options.rule}`,
    );
  }
  const { random: unused, ...steady } = options;
  const setting = options.rule === "randomised first choice" ? { ...options, resamples: 100 } : steady;
  const products = [...market.products, ...(options.none === undefined ? [] : [NONE])];
  requireKnownShares(known, products);
  const simulated = (exponent: number): number[] =>
    simulateMarket(partWorths, market, { ...setting, exponent }).shares.map(({ share }) => share);
  const likelihood = (logExponent: number): number =>
    simulated(Math.exp(logExponent)).reduce((sum, share, j) => {
      const weight = known[products[j] as string] as number;
      return weight === 0 ? sum : sum + weight * Math.log(share);
    }, 0);
  const ends = EXPONENTS.map(Math.log) as [number, number];
  const grid = Array.from({ length: 29 }, (_, i) => ends[0] + (i / 28) * (ends[1] - ends[0]));
  const best = placeOfMost(grid.map(likelihood));
  let [low, high] = [grid[Math.max(0, best - 1)] as number, grid[Math.min(28, best + 1)] as number];
  while (high - low > 1e-7) {
    const [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
    if (likelihood(left) >= likelihood(right)) high = right;
    else low = left;
  }
  const at = (low + high) / 2;
  const exponent = Math.exp(at);
  const shares = simulated(exponent);
  const rows = products.map((product, j) => ({
    product,
    known: known[product] as number,
    simulated: shares[j] as number,
  }));
  const atEnd = Math.min(at - ends[0], ends[1] - at) < 1e-3;
  return Object.freeze({
    exponent,
    logLikelihood: likelihood(at),
    shares: rows,
    meanAbsoluteError: rows.reduce((sum, row) => sum + Math.abs(row.known - row.simulated), 0) / rows.length,
    warnings: atEnd
      ? [`no exponent from ${EXPONENTS[0]} to ${EXPONENTS[1]} fits: utilities do not order the known shares`]
      : [],
  });
}

/** @throws DataError naming the known share that is missing, bad or of no product, or their sum if it is not 1. */
export function requireKnownShares(
  known: Readonly<Record<string, number>>,
  products: readonly string[],
): void {
  for (const product of products) {
    const share: unknown = known[product];
    if (typeof share === "number" && share >= 0 && share <= 1) continue;
    const hint = typeof share === "number" && share > 1 ? "; a percentage must be divided by 100" : "";
    throw new DataError(`known share of ${product} must be between 0 and 1, got ${describe(share)}${hint}`);
  }
  const stranger = Object.keys(known).find((name) => !products.includes(name));
  if (stranger !== undefined)
    throw new DataError(`known shares must be of ${products.join(", ")}, got ${describe(stranger)}`);
  const sum = products.reduce((before, product) => before + (known[product] as number), 0);
  if (Math.abs(sum - 1) > 1e-6) throw new DataError(`known shares must add up to 1, got ${sum}`);
}
