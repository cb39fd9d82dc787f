import { ConvergenceError, DataError } from "../core/errors.js";
import { invertSymmetric } from "../numeric/matrix.js";
import { type Alternatives, alternativesOf, type Market } from "./market.js";
import { requireKnownShares } from "./market-response.js";
import type { PartWorths } from "./part-worths.js";
import { type SimulationOptions, shareKernel, utilitiesOf } from "./simulator.js";

/** Constants under which a simulated market has known shares. */
export interface ConstantCalibration {
  /** Constant of every alternative by name, in utility: for `options.constants` of every simulation. */
  readonly constants: Readonly<Record<string, number>>;
  /** The alternative whose constant is 0: none, or the first product. */
  readonly base: string;
  /** Known shares, simulated ones without constants, and with them: parts of what is bought, none counted. */
  readonly shares: readonly {
    readonly product: string;
    readonly known: number;
    readonly before: number;
    readonly simulated: number;
  }[];
  /** Largest difference that is left between a simulated share and the known one. */
  readonly largestGap: number;
}

/**
 * The constants, one for each alternative, that make simulated shares of today's market the known ones. They stand for all
 * that the survey leaves out and the market has: distribution, awareness, habit, advertising, and a none that people choose
 * more often at home. Being utility, not a factor of shares, they leave substitution between products to the part-worths.
 *
 * They are the last resort, for they explain nothing: correct first for distribution, awareness and the exponent, which have a
 * meaning, and trust the known shares only as far as they are exact. That a constant stays as it is when price, product or
 * rivals change is an assumption, and so is any constant of a product that is not on the market yet.
 *
 * For share of preference there is exactly one solution, as the constants are the maximum of a concave function; found to
 * 1e-10 by Newton's method, or by the contraction where a step would lead away. Under randomised first choice shares move in
 * jumps of single choices, and are met to 0.0005. With awareness or distribution, known shares are parts of what is bought.
 * @param known Share of every alternative by name, above 0 and below 1, adding up to 1.
 * @throws as `simulateMarket`; DataError if a known share is missing or bad, or they do not add up to 1; RangeError for
 * another rule, or an exponent of 0; ConvergenceError if shares cannot be met.
 * @see Berry, Levinsohn & Pakes (1995), Automobile Prices in Market Equilibrium, Econometrica 63(4), for the contraction;
 * Train (2009), Discrete Choice Methods with Simulation, 2nd ed., section 2.8; Orme & Johnson (2006), External Effect
 * Adjustments in Conjoint Analysis, Sawtooth Software, for the caution.
 */
export function calibrateConstants(
  partWorths: PartWorths,
  market: Market,
  known: Readonly<Record<string, number>>,
  options: Omit<SimulationOptions, "constants"> = {},
): ConstantCalibration {
  const { rule = "share of preference", exponent = 1 } = options;
  if (rule !== "share of preference" && rule !== "randomised first choice")
    throw new RangeError(`rule must be share of preference or randomised first choice, got ${rule}`);
  if (exponent === 0) throw new RangeError("exponent must be above 0 for constants to matter, got 0");
  const alternatives = alternativesOf(partWorths, market, options.none);
  const { products } = alternatives;
  requireKnownShares(known, products);
  const extreme = products.find((product) => known[product] === 0 || known[product] === 1);
  if (extreme !== undefined)
    throw new DataError(
      `known share of ${extreme} must be above 0 and below 1, got ${known[extreme]}: no constant gives it, so leave the product out of the market`,
    );
  const sharesAt = sharesWith(partWorths, alternatives, options);
  const base = alternatives.none ? products.length - 1 : 0;
  const before = sharesAt(new Float64Array(products.length));
  const bought = before.shares.reduce((sum, share) => sum + share, 0);
  const target = Float64Array.from(products, (product) => (known[product] as number) * bought);
  const unreached = products.find((_, j) => (target[j] as number) >= (alternatives.reach[j] as number));
  if (unreached !== undefined)
    throw new DataError(
      `known share of ${unreached} must be below the share of buyers who meet it by awareness and distribution, got ${known[unreached]}`,
    );
  const solve = rule === "share of preference" ? solveSmooth : solveNoisy;
  const { added, shares } = solve(sharesAt, before, target, base);
  return Object.freeze({
    constants: Object.fromEntries(products.map((product, j) => [product, (added[j] as number) / exponent])),
    base: products[base] as string,
    shares: products.map((product, j) => ({
      product,
      known: known[product] as number,
      before: (before.shares[j] as number) / bought,
      simulated: (shares[j] as number) / bought,
    })),
    largestGap: gapOf(shares, target) / bought,
  });
}

/** Shares at some constants, and how they rise with them. */
interface SharesAt {
  /** What is added to the utilities, those times the exponent. */
  readonly added: Float64Array;
  readonly shares: Float64Array;
  /**
   * Derivatives of the shares by what is added, where these are a logit's. Where products are not always met, they are
   * too steep, so that Newton's steps are short.
   */
  readonly slopes: readonly number[][];
}

type Shares = (added: Float64Array) => SharesAt;

function sharesWith(
  partWorths: PartWorths,
  alternatives: Alternatives,
  options: Omit<SimulationOptions, "constants">,
): Shares {
  const size = alternatives.products.length;
  const { utilities, weights } = utilitiesOf(partWorths, alternatives, options);
  const isNoisy = options.rule === "randomised first choice"; // what is not met has a utility of minus infinity then
  const kernel = isNoisy
    ? shareKernel("first choice", 1, { ...alternatives, reach: new Float64Array(size).fill(1) }, [])
    : shareKernel("share of preference", 1, alternatives, []);
  const row = new Float64Array(size);
  const own = new Float64Array(size);
  return (added) => {
    const shares = new Float64Array(size);
    const products = new Float64Array(size * size); // weighted sums of share times share, below the diagonal
    for (let place = 0; place < weights.length; place++) {
      let met = !isNoisy;
      for (let j = 0; j < size; j++) {
        const utility = (utilities[j] as Float64Array)[place] as number;
        met ||= utility > Number.NEGATIVE_INFINITY;
        row[j] = utility + (added[j] as number);
      }
      if (!met) continue;
      kernel(row, own);
      for (let j = 0; j < size; j++) {
        const part = (weights[place] as number) * (own[j] as number);
        shares[j] = (shares[j] as number) + part;
        if (isNoisy) continue;
        for (let k = 0, at = j * size; k <= j; k++, at++)
          products[at] = (products[at] as number) + part * (own[k] as number);
      }
    }
    const slopes = Array.from(shares, (share, j) =>
      Array.from(
        shares,
        (_, k) => (j === k ? share : 0) - (products[Math.max(j, k) * size + Math.min(j, k)] as number),
      ),
    );
    return { added, shares, slopes };
  };
}

/** Largest difference of a share from its target. */
const gapOf = (shares: Float64Array, target: Float64Array): number =>
  shares.reduce((most, share, j) => Math.max(most, Math.abs(share - (target[j] as number))), 0);

const SMALL = 1e-4; // shares below this are met less exactly

/** The same relative to the target, so that constants of small shares are exact too. */
const relativeGapOf = (shares: Float64Array, target: Float64Array): number =>
  shares.reduce((most, share, j) => {
    const goal = target[j] as number;
    return Math.max(most, Math.abs(share - goal) / (goal + SMALL));
  }, 0);

const MOST_ROUNDS = 300;
const SMOOTH_GAP = 1e-10;

/** Newton's method where it comes nearer, else the contraction, which always does in the end. */
function solveSmooth(sharesAt: Shares, start: SharesAt, target: Float64Array, base: number): SharesAt {
  let now = start;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const gap = relativeGapOf(now.shares, target);
    if (gap <= SMOOTH_GAP) return now;
    const step = newtonStep(now, target, base);
    const next = step && sharesAt(now.added.map((value, j) => value + (step[j] as number)));
    now = next && relativeGapOf(next.shares, target) < gap ? next : sharesAt(contracted(now, target, base));
  }
  throw new ConvergenceError(
    `constants did not settle in ${MOST_ROUNDS} rounds: a share is ${gapOf(now.shares, target).toPrecision(2)} off, perhaps for want of buyers who meet the product`,
  );
}

/** Change of the constants by the slopes of the shares, that of the base 0; undefined where the slopes are too flat. */
function newtonStep({ shares, slopes }: SharesAt, target: Float64Array, base: number): number[] | undefined {
  const free = Array.from(shares.keys()).filter((j) => j !== base);
  const inverse = invertSymmetric(free.map((j) => free.map((k) => slopes[j]?.[k] as number)));
  if (!inverse) return undefined;
  const step = new Array<number>(shares.length).fill(0);
  for (const [row, j] of free.entries())
    step[j] = free.reduce(
      (sum, k, column) =>
        sum + (inverse[row]?.[column] as number) * ((target[k] as number) - (shares[k] as number)),
      0,
    );
  return step;
}

/** Every constant changed by the log of the target over the share, less the same of the base. */
function contracted(
  { added, shares }: SharesAt,
  target: Float64Array,
  base: number,
  least = Number.MIN_VALUE,
  part = 1,
): Float64Array {
  const change = shares.map((share, j) => part * Math.log((target[j] as number) / Math.max(share, least)));
  return added.map((value, j) => value + (change[j] as number) - (change[base] as number));
}

const NOISY_GAP = 5e-4;
const FINE_GAP = 1e-5;
const SHORTEST = 0.01; // part of a contraction

/** The contraction from the best constants so far, shorter and shorter. */
function solveNoisy(sharesAt: Shares, start: SharesAt, target: Float64Array, base: number): SharesAt {
  let best = start;
  for (let part = 1; part >= SHORTEST && gapOf(best.shares, target) > FINE_GAP; ) {
    const next = sharesAt(contracted(best, target, base, 1e-6, part));
    if (gapOf(next.shares, target) < gapOf(best.shares, target)) best = next;
    else part /= 2;
  }
  const gap = gapOf(best.shares, target);
  if (gap <= NOISY_GAP) return best;
  throw new ConvergenceError(
    `constants bring randomised first choice no nearer than ${gap.toPrecision(2)} to a known share: take more noiseDraws, or productNoise if products share all levels`,
  );
}
