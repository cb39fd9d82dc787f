import { requireAbove, requireFromZero, requireOneOf, requireWhole } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import type { Random } from "../numeric/random.js";
import { drawInteger } from "../numeric/sampling.js";
import { type Alternatives, alternativesOf, type Market, numberOf } from "./market.js";
import type { PartWorths } from "./part-worths.js";
import { type UtilityOptions, utilitiesOf } from "./simulator.js";

/** What a line is judged by: its share of purchases, money from them, or that less costs. */
export type LineObjective = "share" | "revenue" | "profit";

/** How utilities become purchases where lines are searched. */
export type LineRule = "first choice" | "share of preference" | "randomised first choice";

/** How lines are searched. */
export type LineSearch = "exhaustive" | "greedy" | "exchange" | "genetic";

/** A product that could be offered, as a rule for its cost may need it. */
export interface LineCandidate {
  readonly product: string;
  /** Its codes by column. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Price of a unit in money, where candidates have prices. */
  readonly price?: number;
  /** Cost of a unit in money as the candidates give it, where they do: from levels, what these add up to. */
  readonly unitCost?: number;
}

/**
 * What the seller may offer, against whom. Rule, exponent, weights, constants, draws and noise are those of `simulateMarket`,
 * by which a line has the same shares. Constants may name candidates, competitors and none. Randomised first choice and draws
 * multiply the work by draws and `noiseDraws` (a search needs few); `draws` takes some of all draws.
 */
export interface LineProblem extends Omit<UtilityOptions, "rule"> {
  /** Products that the seller could offer, with prices and unit costs as the objective needs them. */
  readonly candidates: Market;
  /** Products of others, which stay as they are. */
  readonly competitors?: Market;
  /** Candidates that are offered anyway. */
  readonly kept?: readonly string[];
  /** Name of the part-worth of buying none, where that is possible. */
  readonly none?: string;
  /** "share of preference" unless given. */
  readonly rule?: LineRule;
  /** "profit" unless given. */
  readonly objective?: LineObjective;
  /** Units bought altogether, none counted; 1 unless given: money is then for each buyer. */
  readonly marketSize?: number;
  /** Money that a product costs however much is sold; 0 unless given. It counts for profit. */
  readonly fixedCost?: number;
  /** What has the fixed cost: "all products" unless given, or "new products" alone, those that are not kept. */
  readonly fixedCostOf?: "all products" | "new products";
  /**
   * Cost of a unit of each candidate in money, by name or by a rule, in place of what `candidates` give: for costs that
   * levels do not add up to.
   */
  readonly unitCosts?: Readonly<Record<string, number>> | ((candidate: LineCandidate) => number);
}

/** How long and by what means a line is searched. */
export interface LineSearchOptions {
  /** Number of products in the line, those kept included. */
  readonly size: number;
  /** "exchange" unless given. */
  readonly search?: LineSearch;
  /** Needed for exchange and genetic search. */
  readonly random?: Random;
  /** Exchange search: random starts beside the greedy line; 5 unless given. */
  readonly starts?: number;
  /** Genetic search: lines in a generation; 60 unless given. */
  readonly population?: number;
  /** Genetic search: generations; 80 unless given. */
  readonly generations?: number;
  /** Exhaustive search: most lines that may be tried; 2,000,000 unless given. */
  readonly most?: number;
}

/** A product within a line. */
export interface LineProduct {
  readonly product: string;
  readonly share: number;
  /** Share that the line would lose without it. */
  readonly incremental: number;
  /** Part of its own share that it takes from the rest of the line: 1 - incremental / share; 0 without a share. */
  readonly cannibalised: number;
}

/** A product line with what it earns. */
export interface ProductLine {
  /** Its products, in the order of the candidates. */
  readonly products: readonly LineProduct[];
  /** Value of the objective. */
  readonly value: number;
  readonly objective: LineObjective;
  /** Share of all purchases. */
  readonly share: number;
  /** Money, where candidates have prices. */
  readonly revenue?: number;
  /** Money less unit costs and fixed costs, where candidates have both prices and unit costs. */
  readonly profit?: number;
  readonly search: LineSearch;
  /** Lines that were evaluated. */
  readonly evaluated: number;
}

/**
 * The best line of a given size among candidate products. Exhaustive search tries every line and is certain; greedy adds the
 * best product again and again; exchange improves the greedy line and random ones by swapping single products until none
 * helps; genetic search breeds lines. Only the exhaustive result is certain to be the best.
 * @throws DataError if products are bad, or no competitor and no none option leaves the share of every line at 1; RangeError
 * if the size does not fit the candidates, an option is out of range, or exhaustive search would try too many lines.
 * @see Green & Krieger (1985), Models and Heuristics for Product Line Selection, Marketing Science 4(1); Belloni, Freund,
 * Selove & Simester (2008), Optimizing Product Line Designs, Management Science 54(9), who compare such searches.
 */
export function searchProductLine(
  partWorths: PartWorths,
  problem: LineProblem,
  options: LineSearchOptions,
): ProductLine {
  return searchIn(lineWorld(partWorths, problem), options);
}

/** A line for each number of products. */
export interface LineFrontier {
  /** The best line found of each size, from the smallest. */
  readonly lines: readonly ProductLine[];
  /** Number of products of the best line of all. */
  readonly bestSize: number;
}

/**
 * The best line of every size up to one: what each product more is worth.
 * @throws as `searchProductLine`.
 */
export function productLineFrontier(
  partWorths: PartWorths,
  problem: LineProblem,
  { size, ...options }: LineSearchOptions,
): LineFrontier {
  const world = lineWorld(partWorths, problem);
  const least = Math.max(1, world.kept.length);
  requireWhole("size", size, least);
  const lines = Array.from({ length: size - least + 1 }, (_, more) =>
    searchIn(world, { ...options, size: least + more }),
  );
  const best = lines.reduce((most, line) => (line.value > most.value ? line : most));
  return Object.freeze({ lines, bestSize: best.products.length });
}

/** All that is known before a line is chosen. */
interface LineWorld {
  readonly names: readonly string[];
  readonly kept: readonly number[];
  readonly objective: LineObjective;
  readonly isLogit: boolean;
  /**
   * How much each respondent (in each draw, with each noise) likes each candidate, candidate after candidate: exp(utility)
   * over that of the best candidate or rival for share of preference, the utility itself for first choices.
   */
  readonly liking: readonly Float64Array[];
  /** The same of all rivals: their sum, or the best of them. */
  readonly rivals: Float64Array;
  /** Number of rivals that are best. */
  readonly rivalTies: Float64Array;
  /** Weight of each respondent, draw and noise; they add up to 1. */
  readonly weights: Float64Array;
  /** What a sale of each candidate adds to the objective. */
  readonly gain: Float64Array;
  /** What a line of a size costs the objective however much is sold. */
  readonly fixedOf: (size: number) => number;
  readonly money: {
    readonly marketSize: number;
    readonly fixedOf: (size: number) => number;
    readonly prices?: ArrayLike<number> | undefined;
    readonly unitCosts?: ArrayLike<number> | undefined;
  };
}

function lineWorld(partWorths: PartWorths, problem: LineProblem): LineWorld {
  const {
    candidates,
    competitors,
    kept = [],
    none,
    rule = "share of preference",
    objective = "profit",
    marketSize = 1,
    fixedCost = 0,
    fixedCostOf = "all products",
  } = problem;
  requireOneOf("rule", rule, LINE_RULES);
  requireOneOf("objective", objective, ["share", "revenue", "profit"]);
  requireOneOf("fixedCostOf", fixedCostOf, ["all products", "new products"]);
  requireFromZero({ fixedCost });
  requireAbove("marketSize", marketSize, 0);
  const { prices } = candidates;
  const names = candidates.products;
  if (!competitors?.products.length && none === undefined)
    throw new DataError("a line needs competitors or a none option: without them its share is always 1");
  if ([candidates, competitors].some((market) => market?.awareness ?? market?.distribution))
    throw new DataError(
      "lines are searched as if everybody met every product: leave out awareness and distribution",
    );
  const { utilities, weights } = utilitiesOf(partWorths, allOf(partWorths, problem), { ...problem, rule });
  const isLogit = rule === "share of preference";
  const liking = isLogit ? expScaled(utilities) : utilities;
  const others = liking.slice(names.length);
  const rivals = others.reduce((before, column) =>
    before.map((value, who) =>
      isLogit ? value + (column[who] as number) : Math.max(value, column[who] as number),
    ),
  );
  const unitCosts = unitCostsOf(problem);
  const fixedOf = (size: number): number =>
    fixedCost * (fixedCostOf === "all products" ? size : size - kept.length);
  return {
    names,
    kept: kept.map((name, k) => {
      const place = names.indexOf(name);
      if (place === -1 || kept.indexOf(name) < k)
        throw new DataError(`kept products must be different candidates, got ${describe(name)}`);
      return place;
    }),
    objective,
    isLogit,
    liking: liking.slice(0, names.length),
    rivals,
    rivalTies: rivals.map((best, who) => others.filter((column) => column[who] === best).length),
    weights,
    gain: Float64Array.from(names, (name, j) => {
      if (objective === "share") return 1;
      const cost = objective === "profit" ? numberOf("unit cost", unitCosts, j, name) : 0;
      return marketSize * (numberOf("price", prices, j, name) - cost);
    }),
    fixedOf: objective === "profit" ? fixedOf : () => 0,
    money: { marketSize, fixedOf, prices, unitCosts },
  };
}

const LINE_RULES: readonly LineRule[] = ["first choice", "share of preference", "randomised first choice"];

/** Candidates, competitors and none, in this order. */
function allOf(partWorths: PartWorths, { candidates, competitors, none }: LineProblem): Alternatives {
  const own = alternativesOf(partWorths, candidates, none);
  if (!competitors?.products.length) return own;
  const others = alternativesOf(partWorths, competitors, none);
  const twice = competitors.products.find((name) => candidates.products.includes(name));
  if (twice !== undefined)
    throw new DataError(
      `competitors must have names other than those of the candidates, got ${describe(twice)}`,
    );
  const count = candidates.products.length;
  return {
    products: [...candidates.products, ...others.products],
    codes: joined(own.codes.subarray(0, count * partWorths.names.length), others.codes),
    reach: joined(own.reach.subarray(0, count), others.reach),
    none: others.none,
  };
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Cost of a unit of every candidate: by name, by the rule, or as the candidates give it. */
function unitCostsOf({ candidates, unitCosts }: LineProblem): ArrayLike<number> | undefined {
  const { products, attributes, prices } = candidates;
  if (!unitCosts) return candidates.unitCosts;
  if (typeof unitCosts !== "function") {
    const stranger = Object.keys(unitCosts).find((name) => !products.includes(name));
    if (stranger !== undefined)
      throw new DataError(`unitCosts must be of candidates, got ${describe(stranger)}`);
    return products.map((name) => numberOf("unit cost", [unitCosts[name] as number], 0, name));
  }
  const codes = Object.entries(attributes);
  return products.map((product, j) => {
    const [price, given] = [prices?.[j], candidates.unitCosts?.[j]];
    const cost = unitCosts({
      product,
      attributes: Object.fromEntries(codes.map(([name, column]) => [name, column[j] as number])),
      ...(price === undefined ? {} : { price }),
      ...(given === undefined ? {} : { unitCost: given }),
    });
    return numberOf("unit cost", [cost], 0, product);
  });
}

/** exp(utility), over that of the best product of each respondent. */
function expScaled(utilities: readonly Float64Array[]): Float64Array[] {
  const best = utilities.reduce((most, column) =>
    most.map((value, who) => Math.max(value, column[who] as number)),
  );
  return utilities.map((column) => column.map((utility, who) => Math.exp(utility - (best[who] as number))));
}

/**
 * Respondents' state while a line grows by one product at a time, a level deep for each product: value of the objective and
 * total liking for share of preference; the best utility, the sum of gains and the number of products that have it for first
 * choice.
 */
interface Growth {
  /** Puts a candidate on top of the line of the first `depth` products. */
  add(depth: number, candidate: number): void;
  /** Value of the first `depth` products and one candidate more, without fixed costs. */
  valueWith(depth: number, candidate: number): number;
}

function growthOf(world: LineWorld, size: number): Growth {
  const { isLogit, liking, rivals, rivalTies, weights, gain } = world;
  const n = weights.length;
  const levels = (): Float64Array[] => Array.from({ length: size + 1 }, () => new Float64Array(n));
  const [first, second, third] = [levels(), levels(), levels()];
  first[0]?.set(rivals);
  third[0]?.set(rivalTies);
  const level = (of: readonly Float64Array[], depth: number): Float64Array => of[depth] as Float64Array;
  if (isLogit) {
    return {
      add(depth, candidate) {
        const own = liking[candidate] as Float64Array;
        const [all, earned] = [level(first, depth), level(second, depth)];
        const [nextAll, nextEarned] = [level(first, depth + 1), level(second, depth + 1)];
        const margin = gain[candidate] as number;
        for (let who = 0; who < n; who++) {
          nextAll[who] = (all[who] as number) + (own[who] as number);
          nextEarned[who] = (earned[who] as number) + margin * (own[who] as number);
        }
      },
      valueWith(depth, candidate) {
        const own = liking[candidate] as Float64Array;
        const [all, earned] = [level(first, depth), level(second, depth)];
        const margin = gain[candidate] as number;
        let sum = 0;
        for (let who = 0; who < n; who++) {
          const like = own[who] as number;
          sum +=
            ((weights[who] as number) * ((earned[who] as number) + margin * like)) /
            ((all[who] as number) + like);
        }
        return sum;
      },
    };
  }
  return {
    add(depth, candidate) {
      const own = liking[candidate] as Float64Array;
      const margin = gain[candidate] as number;
      for (let who = 0; who < n; who++) {
        const [utility, best] = [own[who] as number, level(first, depth)[who] as number];
        const keeps = utility <= best;
        const joins = utility >= best;
        level(first, depth + 1)[who] = Math.max(utility, best);
        level(second, depth + 1)[who] =
          (keeps ? (level(second, depth)[who] as number) : 0) + (joins ? margin : 0);
        level(third, depth + 1)[who] = (keeps ? (level(third, depth)[who] as number) : 0) + (joins ? 1 : 0);
      }
    },
    valueWith(depth, candidate) {
      const own = liking[candidate] as Float64Array;
      const [tops, earned, ties] = [level(first, depth), level(second, depth), level(third, depth)];
      const margin = gain[candidate] as number;
      let sum = 0;
      for (let who = 0; who < n; who++) {
        const [utility, best] = [own[who] as number, tops[who] as number];
        const before = earned[who] as number;
        const count = ties[who] as number;
        const value =
          utility > best ? margin : utility < best ? before / count : (before + margin) / (count + 1);
        sum += (weights[who] as number) * value;
      }
      return sum;
    },
  };
}

/** A line and the value of its objective, fixed costs off. */
interface Found {
  readonly line: readonly number[];
  readonly value: number;
}

function searchIn(world: LineWorld, options: LineSearchOptions): ProductLine {
  const { size, search = "exchange" } = options;
  requireOneOf("search", search, ["exhaustive", "greedy", "exchange", "genetic"]);
  requireWhole("size", size, Math.max(1, world.kept.length));
  if (size > world.names.length)
    throw new RangeError(`size must be at most the ${world.names.length} candidates, got ${size}`);
  let evaluated = 0;
  const growth = growthOf(world, size);
  const worthOf = (line: readonly number[]): number => {
    evaluated++;
    for (const [depth, candidate] of line.slice(0, -1).entries()) growth.add(depth, candidate);
    return growth.valueWith(line.length - 1, line.at(-1) as number) - world.fixedOf(line.length);
  };
  const open = Array.from(world.names.keys()).filter((j) => !world.kept.includes(j));
  const task: SearchTask = { world, growth, worthOf, open, size, count: (lines) => (evaluated += lines) };
  let best: Found;
  if (open.length === 0 || size === world.kept.length)
    best = { line: world.kept, value: worthOf(world.kept) };
  else if (search === "exhaustive") best = exhaustive(task, options.most ?? 2_000_000);
  else if (search === "greedy") best = greedy(task);
  else if (search === "exchange") best = exchange(task, options);
  else best = genetic(task, options);
  return describeLine(world, best, search, evaluated);
}

interface SearchTask {
  readonly world: LineWorld;
  readonly growth: Growth;
  readonly worthOf: (line: readonly number[]) => number;
  /** Candidates that are not kept anyway. */
  readonly open: readonly number[];
  readonly size: number;
  /** Counts evaluated lines. */
  readonly count: (lines: number) => void;
}

function exhaustive({ world, growth, open, size, count }: SearchTask, most: number): Found {
  const free = size - world.kept.length;
  const lines = binomial(open.length, free);
  if (lines > most) {
    throw new RangeError(
      `exhaustive search would try ${lines.toPrecision(3)} lines of ${size} products, more than ${most}: search by "exchange" or "genetic"`,
    );
  }
  for (const [depth, candidate] of world.kept.entries()) growth.add(depth, candidate);
  const line = [...world.kept];
  let best: Found = { line, value: Number.NEGATIVE_INFINITY };
  const extend = (from: number, left: number): void => {
    for (let place = from; place <= open.length - left; place++) {
      const candidate = open[place] as number;
      if (left === 1) {
        const value = growth.valueWith(line.length, candidate) - world.fixedOf(size);
        if (value > best.value) best = { line: [...line, candidate], value };
        continue;
      }
      growth.add(line.length, candidate);
      line.push(candidate);
      extend(place + 1, left - 1);
      line.pop();
    }
  };
  extend(0, free);
  count(lines);
  return best;
}

/** Number of ways to choose k of n. */
const binomial = (n: number, k: number): number =>
  Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((product, factor) => product * factor, 1);

function greedy({ world, growth, open, size, count }: SearchTask): Found {
  const line = [...world.kept];
  for (const [depth, candidate] of line.entries()) growth.add(depth, candidate);
  let value = Number.NEGATIVE_INFINITY;
  while (line.length < size) {
    const rest = open.filter((candidate) => !line.includes(candidate));
    const values = rest.map((candidate) => growth.valueWith(line.length, candidate));
    count(rest.length);
    value = Math.max(...values);
    const next = rest[values.indexOf(value)] as number;
    growth.add(line.length, next);
    line.push(next);
  }
  return { line, value: value - world.fixedOf(size) };
}

/** Swaps single products while one swap makes the line better, always the best swap. */
function improve({ world, growth, open, size, count }: SearchTask, start: Found): Found {
  let best = start;
  for (;;) {
    let better: Found | undefined;
    for (const out of best.line.filter((candidate) => !world.kept.includes(candidate))) {
      const rest = best.line.filter((candidate) => candidate !== out);
      for (const [depth, candidate] of rest.entries()) growth.add(depth, candidate);
      for (const candidate of open) {
        if (best.line.includes(candidate)) continue;
        count(1);
        const value = growth.valueWith(rest.length, candidate) - world.fixedOf(size);
        if (value > (better ?? best).value + 1e-12 * Math.abs(best.value))
          better = { line: [...rest, candidate], value };
      }
    }
    if (!better) return best;
    best = better;
  }
}

function exchange(task: SearchTask, { random, starts = 5 }: LineSearchOptions): Found {
  requireWhole("starts", starts, 0);
  const source = starts > 0 ? requireRandom(random) : undefined;
  let best = improve(task, greedy(task));
  for (let start = 0; source && start < starts; start++) {
    const line = randomLine(task, source);
    const found = improve(task, { line, value: task.worthOf(line) });
    if (found.value > best.value) best = found;
  }
  return best;
}

function requireRandom(random: Random | undefined): Random {
  if (random) return random;
  throw new RangeError("random must be given for this search, got none");
}

function randomLine({ world, open, size }: SearchTask, random: Random, from = open): number[] {
  const pool = [...from];
  const line = [...world.kept];
  while (line.length < size) {
    const place = drawInteger(random, 0, pool.length - 1);
    line.push(...pool.splice(place, 1));
  }
  return line;
}

const MUTATION = 0.3; // chance that a child swaps one product for any other

function genetic(task: SearchTask, options: LineSearchOptions): Found {
  const { population = 60, generations = 80 } = options;
  requireWhole("population", population, 4);
  requireWhole("generations", generations, 1);
  const random = requireRandom(options.random);
  const { world, open, size, worthOf } = task;
  const found = (line: readonly number[]): Found => ({ line, value: worthOf(line) });
  let lines = Array.from({ length: population }, () => found(randomLine(task, random)));
  const winner = (): Found => {
    const [one, other] = [0, 1].map(() => lines[drawInteger(random, 0, population - 1)] as Found);
    return (one as Found).value >= (other as Found).value ? (one as Found) : (other as Found);
  };
  for (let generation = 0; generation < generations; generation++) {
    const children = Array.from({ length: population - 1 }, () => {
      const genes = [...new Set([...winner().line, ...winner().line])].filter((j) => !world.kept.includes(j));
      const line = randomLine(task, random, genes);
      const rest = open.filter((candidate) => !line.includes(candidate));
      if (rest.length > 0 && random.uniform() < MUTATION) {
        const place = drawInteger(random, world.kept.length, size - 1);
        line[place] = rest[drawInteger(random, 0, rest.length - 1)] as number;
      }
      return found(line);
    });
    lines = [lines.reduce((best, line) => (line.value > best.value ? line : best)), ...children];
  }
  return lines.reduce((best, line) => (line.value > best.value ? line : best));
}

function describeLine(
  world: LineWorld,
  { line, value }: Found,
  search: LineSearch,
  evaluated: number,
): ProductLine {
  const sorted = [...line].sort((a, b) => a - b);
  const { marketSize, fixedOf, prices, unitCosts } = world.money;
  const shares = sorted.map((candidate) => shareWithin(world, sorted, candidate));
  const share = shares.reduce((sum, part) => sum + part, 0);
  const earn = (cost: (j: number) => number): number =>
    shares.reduce((sum, part, place) => {
      const j = sorted[place] as number;
      return sum + part * marketSize * ((prices?.[j] as number) - cost(j));
    }, 0);
  return Object.freeze({
    products: sorted.map((candidate, place) => {
      const own = shares[place] as number;
      const others = sorted.filter((other) => other !== candidate);
      const without = others.reduce((sum, other) => sum + shareWithin(world, others, other), 0);
      const incremental = share - without;
      return {
        product: world.names[candidate] as string,
        share: own,
        incremental,
        cannibalised: own > 0 ? 1 - incremental / own : 0,
      };
    }),
    value,
    objective: world.objective,
    share,
    ...(prices ? { revenue: earn(() => 0) } : {}),
    ...(prices && unitCosts ? { profit: earn((j) => unitCosts[j] as number) - fixedOf(sorted.length) } : {}),
    search,
    evaluated,
  });
}

/** Share of one product of a line. */
function shareWithin(world: LineWorld, line: readonly number[], candidate: number): number {
  const alone = { ...world, gain: Float64Array.from(world.gain, (_, j) => Number(j === candidate)) };
  const growth = growthOf(alone, line.length);
  const others = line.filter((other) => other !== candidate);
  for (const [depth, other] of others.entries()) growth.add(depth, other);
  return growth.valueWith(others.length, candidate);
}
