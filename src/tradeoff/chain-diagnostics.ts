import { quantileOf } from "../numeric/quantile.js";
import { normalQuantile } from "../numeric/special.js";

/** Draws of one quantity by several Markov chains: equally many in each. */
export type Chains = readonly ArrayLike<number>[];

/**
 * R-hat: how much wider the draws of all half chains together are than those of one alone; 1 once the chains agree, above
 * 1.05 (better 1.01) they need to run on. The larger of two values: of normalised ranks, which sees different centres, and
 * of normalised ranks of distances from the median, which sees different spreads.
 * @throws RangeError if there is no chain, they differ in length or have fewer than four draws, a draw is not finite, or all
 * are equal.
 * @see Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Rank-normalization, folding, and localization: an improved
 * R-hat, Bayesian Analysis 16(2).
 */
export function rHat(chains: Chains): number {
  const halves = split(checked(chains));
  const middle = quantileOf(
    halves.flatMap((half) => Array.from(half)),
    0.5,
  );
  const folded = halves.map((half) => half.map((value) => Math.abs(value - middle)));
  return Math.max(
    potentialScaleReduction(normalScores(halves)),
    potentialScaleReduction(normalScores(folded)),
  );
}

/**
 * Bulk effective sample size: how many independent draws would give the centre of the distribution as well. Of normalised
 * ranks, so that it exists for any distribution; negatively correlated draws can be worth more than their number.
 * @throws RangeError as `rHat`.
 * @see Vehtari et al. (2021); Geyer (1992), Practical Markov Chain Monte Carlo, Statistical Science 7(4), for where the sum of
 * autocorrelations ends.
 */
export const essBulk = (chains: Chains): number => effectiveSize(normalScores(split(checked(chains))));

/**
 * Tail effective sample size: the smaller of those of the 5% and the 95% quantile.
 * @throws RangeError as `rHat`.
 * @see Vehtari et al. (2021), section 4.3.
 */
export function essTail(chains: Chains): number {
  const halves = split(checked(chains));
  const all = halves.flatMap((half) => Array.from(half));
  const sizes = [0.05, 0.95].flatMap((share) => {
    const limit = quantileOf(all, share);
    const below = halves.map((half) => half.map((value) => Number(value <= limit)));
    const isConstant = below.every((half) => half.every((value) => value === below[0]?.[0]));
    return isConstant ? [] : [effectiveSize(below)]; // ties at the largest value make a constant
  });
  return Math.min(...sizes);
}

function checked(chains: Chains): Chains {
  const length = chains[0]?.length ?? 0;
  if (length < 4) throw new RangeError(`chains must have at least four draws each, got ${length}`);
  let differ = false;
  for (const [c, chain] of chains.entries()) {
    if (chain.length !== length) {
      throw new RangeError(
        `chains must be equally long, got ${length} draws and ${chain.length} in chain ${c + 1}`,
      );
    }
    for (let draw = 0; draw < length; draw++) {
      const value = chain[draw] as number;
      if (!Number.isFinite(value))
        throw new RangeError(`draws must be finite, got ${value} in chain ${c + 1} at ${draw + 1}`);
      differ ||= value !== chains[0]?.[0];
    }
  }
  if (!differ) throw new RangeError(`draws must differ, all are ${chains[0]?.[0]}`);
  return chains;
}

/** First and second half of each chain; of an odd number of draws the middle one is left out. */
function split(chains: Chains): Float64Array[] {
  return chains.flatMap((chain) => {
    const draws = Float64Array.from(chain);
    const half = Math.floor(draws.length / 2);
    return [draws.slice(0, half), draws.slice(draws.length - half)];
  });
}

/** Normal scores of the ranks of all draws together; ties share their mean rank. */
function normalScores(chains: readonly Float64Array[]): Float64Array[] {
  const length = chains[0]?.length as number;
  const all = new Float64Array(chains.length * length);
  for (const [c, chain] of chains.entries()) all.set(chain, c * length);
  const order = Uint32Array.from(all, (_, place) => place).sort(
    (a, b) => (all[a] as number) - (all[b] as number),
  );
  const scores = new Float64Array(all.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && all[order[to] as number] === all[order[from] as number]) to++;
    const rank = (from + 1 + to) / 2;
    const score = normalQuantile((rank - 3 / 8) / (all.length + 1 / 4));
    for (; from < to; from++) scores[order[from] as number] = score;
  }
  return chains.map((_, c) => scores.subarray(c * length, (c + 1) * length));
}

/** Mean variance within chains, and the variance of all draws that it and the chains' means give. */
function variances(chains: readonly Float64Array[]): { readonly within: number; readonly pooled: number } {
  const n = chains[0]?.length as number;
  const means = chains.map(mean);
  const within = mean(chains.map((chain, c) => sumOfSquares(chain, means[c] as number) / (n - 1)));
  const between = sumOfSquares(means, mean(means)) / (chains.length - 1);
  return { within, pooled: ((n - 1) / n) * within + between };
}

/** The square root of pooled over within variance; huge if no chain moves but they differ, 1 if no draw differs at all. */
function potentialScaleReduction(chains: readonly Float64Array[]): number {
  const { within, pooled } = variances(chains);
  return pooled === 0 ? 1 : Math.sqrt(pooled / within);
}

/**
 * Number of draws over 1 + twice the sum of autocorrelations of all chains together. The sum ends where that of two
 * neighbours is negative (Geyer's initial positive sequence), and sums of neighbours may not rise (monotone sequence).
 */
function effectiveSize(chains: readonly Float64Array[]): number {
  const n = chains[0]?.length as number;
  const draws = n * chains.length;
  const { within, pooled } = variances(chains);
  const centred = chains.map((chain) => {
    const middle = mean(chain);
    return chain.map((value) => value - middle);
  });
  const autocorrelation = (lag: number): number => {
    let sum = 0;
    for (const chain of centred)
      for (let t = lag; t < n; t++) sum += (chain[t] as number) * (chain[t - lag] as number);
    return 1 - (within - sum / draws) / pooled;
  };
  let sum = 0;
  let last = Number.POSITIVE_INFINITY;
  for (let lag = 0; lag + 1 < n; lag += 2) {
    const pair = (lag === 0 ? 1 : autocorrelation(lag)) + autocorrelation(lag + 1);
    if (pair <= 0) break;
    last = Math.min(last, pair);
    sum += last;
  }
  // Draws that alternate could seem worth any number: no more than their number times its common logarithm.
  return draws / Math.max(2 * sum - 1, 1 / Math.log10(draws));
}

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

function sumOfSquares(values: ArrayLike<number>, centre: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - centre) ** 2;
  return sum;
}
