import { requireLevel, requireWhole } from "../core/arguments.js";
import { ConvergenceError, DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { choleskyFactor, dot, type Matrix } from "../numeric/matrix.js";
import { quantileType7 } from "../numeric/quantile.js";
import type { Random } from "../numeric/random.js";
import { runInWorkers } from "../numeric/worker-pool.js";
import { type Chains, essBulk, essTail, rHat } from "./chain-diagnostics.js";
import {
  type AttributeColumns,
  type ChoiceDesign,
  type ChoiceRows,
  choiceDesign,
  selectColumns,
} from "./choice-data.js";
import { fitSameTastes, type UtilityCoefficients } from "./conditional-logit.js";
import type { ChainDraws, ChainSetup } from "./hierarchical-bayes-worker.js";
import type { PartWorths } from "./part-worths.js";

/**
 * What is believed before the choices are seen. Everything refers to coefficients for the whole range of a covariate in the
 * data (its largest value less its smallest), so that units do not matter; for dummies that is the coefficient itself.
 */
export interface HierarchicalBayesPriors {
  /** Variance of the population's mean coefficients and of the effects of respondents' covariates (for their range), around 0; 100 unless given, 10 for the logarithms of constrained coefficients. */
  readonly meanVariance?: number;
  /**
   * How far respondents differ: the scale of the variances, or a guess of their covariance matrix; 4 unless given, 0.25 for the
   * logarithms of constrained coefficients. Unless `freedom` is given the data decide. With variances, every standard deviation
   * has a half-t distribution with 2 degrees of freedom and the root of its variance as scale, so that 5% are above 4.3 and 5%
   * below 0.07 times that, and correlations of any size are equally likely (Huang & Wand, 2013). With a matrix, one unknown
   * factor scales it as a whole, and standard deviations have half-t distributions with 6 degrees of freedom (5% above 2.4,
   * 5% below 0.07 times the roots of its diagonal).
   */
  readonly heterogeneity?: number | Matrix;
  /**
   * Degrees of freedom of an inverse Wishart distribution instead, whose mean is `heterogeneity`: about how many respondents
   * that guess is worth, above the number of coefficients + 1. Its scale matrix is (`freedom` - number of coefficients - 1)
   * times the guess.
   */
  readonly freedom?: number;
}

/** How to fit a hierarchical Bayes logit model. */
export interface HierarchicalBayesOptions {
  /** Columns of numbers about the respondents, one value each in the order of their first row: they move the mean of the coefficients. */
  readonly covariates?: AttributeColumns;
  /** Coefficients whose sign is known for every respondent: their sizes are log-normal over respondents instead of normal. */
  readonly constraints?: Readonly<Record<string, "positive" | "negative">>;
  readonly priors?: HierarchicalBayesPriors;
  /** Chains from different starts; 4 unless given. */
  readonly chains?: number;
  /** Sweeps of each chain that adapt the sampler and are thrown away; 500 unless given. */
  readonly warmup?: number;
  /** Sweeps of each chain after those; 1,000 unless given. */
  readonly iterations?: number;
  /** Draws of the individual coefficients to keep from all chains, evenly spaced; about 1,000 unless given, at least one a chain. Each takes 4 bytes a respondent and coefficient. */
  readonly keep?: number;
  /** Outside of the limits given in summaries lies 1 - level, half on each side; 0.9 unless given. */
  readonly level?: number;
  /** Source of all randomness: the same source gives the same draws, whatever the number of workers. */
  readonly random: Random;
  /** Threads, at most one a chain; as many as the machine has processors if left out, 0 for none beside this one. */
  readonly workers?: number;
  /** Told several times a second how many sweeps of all chains are done. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the run early: the promise is rejected with its reason. */
  readonly signal?: AbortSignal;
}

/** What is believed of a number after the choices are seen. */
export interface PosteriorSummary {
  readonly mean: number;
  readonly sd: number;
  /** Quantiles that leave out (1 - level) / 2 on each side, and the median. */
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** Agreement of the chains, 1 if perfect (see `rHat`). */
  readonly rHat: number;
  /** What the draws are worth in independent ones, for the centre and for the limits (see `essBulk`, `essTail`). */
  readonly essBulk: number;
  readonly essTail: number;
}

/** A fitted hierarchical Bayes logit model. Summaries by name of the covariate. */
export interface HierarchicalBayesFit extends UtilityCoefficients {
  readonly model: "hierarchical Bayes logit";
  /** Coefficients of the median respondent at average covariates: the population's mean, or exp of the mean logarithm with its sign for constrained ones. */
  readonly population: Readonly<Record<string, PosteriorSummary>>;
  /** For each column of the respondents: change of the mean coefficients (constrained ones: of the mean logarithm) for one unit of it. */
  readonly effects: Readonly<Record<string, Readonly<Record<string, PosteriorSummary>>>>;
  /** Standard deviation over respondents alike in their covariates (constrained coefficients: of the logarithm). */
  readonly heterogeneity: Readonly<Record<string, PosteriorSummary>>;
  /** Posterior mean of the covariance over respondents, of the logarithms of constrained coefficients. */
  readonly heterogeneityCovariance: Matrix;
  /** Posterior means of `population`; `covariance` is their posterior covariance. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Posterior standard deviations of `population`. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Posterior means of every respondent's coefficients, and draws of them all (`draws`), chain after chain. */
  readonly individual: PartWorths;
  /** Posterior standard deviations of the same. */
  readonly individualSd: PartWorths;
  /** Draws of `population`, chain after chain. */
  readonly populationDraws: Readonly<Record<string, Float64Array>>;
  /** Names of the constrained coefficients and their signs. */
  readonly constraints: Readonly<Record<string, "positive" | "negative">>;
  /** Posterior mean of the log-likelihood of the choices given the individual coefficients. */
  readonly logLikelihood: number;
  /** Log-likelihood if all alternatives of a set were equally likely. */
  readonly nullLogLikelihood: number;
  /** 1 - log-likelihood / that of equal shares. */
  readonly mcFaddenR2: number;
  /** Root likelihood (RLH): geometric mean of the probabilities of what was chosen, at the posterior means of the individual coefficients. */
  readonly rootLikelihood: number;
  /** Share of choices of the alternative that these means like most. Both are of the data fitted, so they flatter. */
  readonly hitRate: number;
  /** Mean probability to accept a proposal: about 0.85 is aimed at. */
  readonly acceptance: { readonly individual: number; readonly population: number };
  /** Largest R-hat and smallest effective sample sizes of all numbers of the population, covariances included. */
  readonly diagnostics: { readonly rHat: number; readonly essBulk: number; readonly essTail: number };
  /** Choices, weights counted. */
  readonly observations: number;
  /** Respondents. */
  readonly respondents: number;
  readonly chains: number;
  readonly warmup: number;
  readonly iterations: number;
  /** Confidence level of all limits. */
  readonly level: number;
  /** Whether the chains agree: no R-hat above 1.05. */
  readonly converged: boolean;
  /** What makes the numbers doubtful. */
  readonly warnings: readonly string[];
}

const LARGEST_R_HAT = 1.05;
const BETWEEN_REPORTS = 100; // milliseconds
const MEAN_VARIANCE = { free: 100, constrained: 10 };
const HETEROGENEITY = { free: 4, constrained: 0.25 };

/**
 * Hierarchical Bayes logit model: every respondent has own coefficients of utility, which are normal over respondents with a
 * mean that may depend on respondents' covariates, so that a few choices each are enough for all. Markov chains draw from the
 * posterior; their agreement is measured and reported. Constrained coefficients are plus or minus the exponential of a
 * normal number. Respondents' covariates are centred, so that the population's means are those of average respondents. A weight
 * says how often a choice was made, not how many people a respondent stands for: all count alike in the population, and those
 * who do not are given weights where individual part-worths are used, as by `simulateMarket` and `posteriorLevels`.
 * @throws DataError if the choices are bad (see `choiceDesign`), there is no covariate, or a column about respondents has no
 * finite number for each of them or never varies; RangeError if an option is out of range; the signal's reason.
 * @see Rossi, Allenby & McCulloch (2005), Bayesian Statistics and Marketing, chapter 5; Allenby & Ginter (1995), Using
 * Extremes to Design Products and Segment Markets, J. Marketing Research 32(4); Huang & Wand (2013), Simple Marginally
 * Noninformative Prior Distributions for Covariance Matrices, Bayesian Analysis 8(2).
 */
export async function fitHierarchicalBayes(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: HierarchicalBayesOptions,
): Promise<HierarchicalBayesFit> {
  const run = checkedRun(options);
  const design = choiceDesign(rows, attributes);
  const { names, respondents } = design;
  if (names.length === 0) throw new DataError("attributes must have at least one column, got none");
  const sign = signsOf(names, options.constraints ?? {});
  const upper = upperColumns(options.covariates ?? {}, respondents.length);
  const ranges = rangesOf(design);
  const scaled = ranges.map((range) => range || 1);
  const control = new Int32Array(new SharedArrayBuffer(4 * (run.chains + 1)));
  const thin = Math.min(run.iterations, Math.max(1, Math.floor((run.iterations * run.chains) / run.keep)));
  const setup: ChainSetup = {
    ...differences(design, scaled),
    z: upper.z,
    sign,
    ...priorsOf(names, sign, upper.names.length + 1, options.priors ?? {}),
    warmup: run.warmup,
    iterations: run.iterations,
    thin,
    seeds: Array.from({ length: run.chains }, () => options.random.uint32()),
    control,
  };
  const draws = await drawChains(setup, options);
  const posterior = posteriorOf(setup, draws, { names, upper, scaled, level: run.level });
  const total = design.weight.reduce((sum, value) => sum + value, 0);
  const logLikelihood = average(draws.map((chain) => average(chain.logLikelihood)));
  const none = nullLogLikelihood(design);
  const individual = { names, respondents, values: posterior.means, draws: posterior.kept };
  return Object.freeze({
    model: "hierarchical Bayes logit",
    ...posterior.population,
    individual,
    individualSd: { names, respondents, values: posterior.sds },
    constraints: Object.freeze({ ...options.constraints }),
    logLikelihood,
    nullLogLikelihood: none,
    mcFaddenR2: 1 - logLikelihood / none,
    ...fitOf(design, individual),
    acceptance: Object.freeze({
      individual: average(draws.map(({ acceptance }) => acceptance.individual)),
      population: average(draws.map(({ acceptance }) => acceptance.population)),
    }),
    observations: total,
    respondents: respondents.length,
    chains: run.chains,
    warmup: run.warmup,
    iterations: run.iterations,
    level: run.level,
    converged: posterior.population.diagnostics.rHat <= LARGEST_R_HAT,
    warnings: Object.freeze([
      ...posterior.warnings,
      ...dataWarnings(design, ranges),
      ...upperWarnings(upper),
      ...identificationWarnings(
        rows,
        selectColumns(
          attributes,
          names.filter((_, j) => ranges[j] !== 0),
        ),
      ),
    ]),
  });
}

function checkedRun({
  chains = 4,
  warmup = 500,
  iterations = 1000,
  keep = 1000,
  level = 0.9,
}: HierarchicalBayesOptions) {
  for (const [name, value, least] of [
    ["chains", chains, 1],
    ["warmup", warmup, 50],
    ["iterations", iterations, 50],
    ["keep", keep, 1],
  ] as const) {
    requireWhole(name, value, least);
  }
  requireLevel(level);
  return { chains, warmup, iterations, keep, level };
}

function signsOf(names: readonly string[], constraints: Readonly<Record<string, string>>): Float64Array {
  for (const [name, sign] of Object.entries(constraints)) {
    if (!names.includes(name))
      throw new RangeError(
        `constraints must name covariates out of ${names.join(", ")}, got ${describe(name)}`,
      );
    if (sign !== "positive" && sign !== "negative")
      throw new RangeError(`constraints.${name} must be "positive" or "negative", got ${describe(sign)}`);
  }
  return Float64Array.from(names, (name) => {
    const sign = constraints[name];
    return sign === undefined ? 0 : sign === "positive" ? 1 : -1;
  });
}

/** Columns about respondents, centred and divided by their range, a constant before them. */
interface UpperColumns {
  readonly names: readonly string[];
  readonly ranges: readonly number[];
  readonly z: Float64Array;
}

function upperColumns(covariates: AttributeColumns, respondents: number): UpperColumns {
  const names = Object.keys(covariates);
  const m = names.length + 1;
  const z = new Float64Array(respondents * m).fill(1);
  const ranges = names.map((name, c) => {
    const column = covariates[name] as ArrayLike<number>;
    if (column.length !== respondents) {
      throw new DataError(
        `${name} must have one value for each of the ${respondents} respondents, got ${column.length}`,
      );
    }
    const values = Array.from(column, (value: unknown, i) => {
      if (typeof value === "number" && Number.isFinite(value)) return value;
      throw new DataError(`${name} of respondent ${i + 1} must be a finite number, got ${describe(value)}`);
    });
    const [low, high] = values.reduce(
      ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
    if (!(high > low)) throw new DataError(`${name} must differ between respondents, got ${low} for all`);
    const middle = average(values);
    for (const [i, value] of values.entries()) z[i * m + c + 1] = (value - middle) / (high - low);
    return high - low;
  });
  return { names, ranges, z };
}

/** Largest less smallest value of each covariate over all alternatives; 0 if it never varies within a set. */
function rangesOf({ names, x, setStart }: ChoiceDesign): number[] {
  const p = names.length;
  return names.map((_, j) => {
    let [low, high, varies] = [x[j] as number, x[j] as number, false];
    for (let set = 0; set + 1 < setStart.length; set++) {
      const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
      for (let row = from; row < to; row++) {
        const value = x[row * p + j] as number;
        varies ||= value !== x[from * p + j];
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return varies ? high - low : 0;
  });
}

/** Differences of the alternatives from the one chosen in the layout of the sampler, covariates divided by their ranges. */
function differences(
  { names, x, setStart, choice, weight, respondentStart, respondents }: ChoiceDesign,
  ranges: readonly number[],
): Pick<ChainSetup, "x" | "setStart" | "weight" | "respondentStart"> {
  const p = names.length;
  const result = new Float64Array(x.length - choice.length * p);
  let start = 0;
  for (let who = 0; who < respondents.length; who++) {
    const [firstSet, lastSet] = [respondentStart[who] as number, respondentStart[who + 1] as number];
    for (let j = 0; j < p; j++) {
      for (let set = firstSet; set < lastSet; set++) {
        const chosen = choice[set] as number;
        for (let row = setStart[set] as number; row < (setStart[set + 1] as number); row++)
          if (row !== chosen)
            result[start++] =
              ((x[row * p + j] as number) - (x[chosen * p + j] as number)) / (ranges[j] as number);
      }
    }
  }
  return { x: result, setStart: setStart.map((row, set) => row - set), weight, respondentStart };
}

function priorsOf(
  names: readonly string[],
  sign: Float64Array,
  m: number,
  { meanVariance, freedom, heterogeneity }: HierarchicalBayesPriors,
): Pick<ChainSetup, "precision" | "heterogeneity"> {
  const p = names.length;
  if (meanVariance !== undefined && !(meanVariance > 0 && Number.isFinite(meanVariance)))
    throw new RangeError(`priors.meanVariance must be a finite number above 0, got ${meanVariance}`);
  const kind = (j: number): "free" | "constrained" => (sign[j] === 0 ? "free" : "constrained");
  const isMatrix = typeof heterogeneity === "object";
  const guess = isMatrix
    ? heterogeneity
    : names.map((_, i) => names.map((__, j) => (i === j ? (heterogeneity ?? HETEROGENEITY[kind(j)]) : 0)));
  if (guess.length !== p || !isSymmetric(guess) || !choleskyFactor(guess))
    throw new RangeError(
      `priors.heterogeneity must be a variance above 0 or a positive definite matrix of ${p} rows, got ${isMatrix ? JSON.stringify(heterogeneity) : describe(heterogeneity)}`,
    );
  return {
    precision: Float64Array.from(
      { length: m * p },
      (_, at) => 1 / (meanVariance ?? MEAN_VARIANCE[kind(at % p)]),
    ),
    heterogeneity:
      freedom === undefined && !isMatrix
        ? { scales: Float64Array.from(guess, (row, j) => Math.sqrt(row[j] as number)) }
        : matrixPrior(guess, freedom),
  };
}

/** Inverse Wishart with the guess as mean, or, without degrees of freedom, as known but for one factor. */
function matrixPrior(guess: Matrix, freedom: number | undefined): ChainSetup["heterogeneity"] {
  const p = guess.length;
  const flat = Float64Array.from(guess.flatMap((row) => Array.from(row)));
  if (freedom === undefined) return { guess: flat };
  if (!(freedom > p + 1 && Number.isFinite(freedom)))
    throw new RangeError(`priors.freedom must be a finite number above ${p + 1}, got ${describe(freedom)}`);
  return { freedom, scale: flat.map((value) => (freedom - p - 1) * value) };
}

/** Whether a matrix is square, finite and, but for rounding, symmetric. */
const isSymmetric = (matrix: Matrix): boolean =>
  matrix.every(
    (row, i) =>
      row.length === matrix.length &&
      row.every((value, j) => {
        const mirrored = matrix[j]?.[i] as number;
        return Number.isFinite(value) && Math.abs(value - mirrored) <= 1e-9 * Math.abs(value + mirrored);
      }),
  );

/** Runs the chains on threads; a timer watches how far they are. */
async function drawChains(
  setup: ChainSetup,
  { workers, onProgress, signal }: HierarchicalBayesOptions,
): Promise<ChainDraws[]> {
  const { control, seeds, warmup, iterations } = setup;
  const total = seeds.length * (warmup + iterations);
  const report = (): void =>
    onProgress?.(
      control.subarray(1).reduce((sum, value) => sum + value, 0),
      total,
    );
  const timer = onProgress ? setInterval(report, BETWEEN_REPORTS) : undefined;
  const stop = (): void => void Atomics.store(control, 0, 1);
  signal?.addEventListener("abort", stop);
  try {
    const draws = await runInWorkers<number, ChainDraws>({
      module: new URL("./hierarchical-bayes-worker.js", import.meta.url),
      exportName: "hierarchicalBayesWorker",
      shared: setup,
      tasks: seeds.map((_, chain) => chain),
      ...(workers === undefined ? {} : { workers }),
      ...(signal ? { signal } : {}),
    });
    signal?.throwIfAborted();
    report();
    return draws;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** Summaries of the draws in the units of the data. */
function posteriorOf(
  { sign, iterations }: ChainSetup,
  chains: readonly ChainDraws[],
  {
    names,
    upper,
    scaled,
    level,
  }: {
    readonly names: readonly string[];
    readonly upper: UpperColumns;
    readonly scaled: readonly number[];
    readonly level: number;
  },
) {
  const p = names.length;
  const m = upper.names.length + 1;
  const width = m * p + (p * (p + 1)) / 2;
  /** One number of the population in all chains, in other units. */
  const column = (at: number, unit: (value: number) => number): Float64Array[] =>
    chains.map(({ population }) =>
      Float64Array.from({ length: iterations }, (_, draw) => unit(population[draw * width + at] as number)),
    );
  const worst = { rHat: 0, essBulk: Number.POSITIVE_INFINITY, essTail: Number.POSITIVE_INFINITY };
  const apart: string[] = [];
  const summary = (name: string, draws: Chains): PosteriorSummary => {
    const result = summaryOf(draws, level);
    worst.rHat = Math.max(worst.rHat, result.rHat);
    worst.essBulk = Math.min(worst.essBulk, result.essBulk);
    worst.essTail = Math.min(worst.essTail, result.essTail);
    if (result.rHat > LARGEST_R_HAT) apart.push(name);
    return result;
  };
  const byName = <T>(of: (j: number, name: string) => T): Readonly<Record<string, T>> =>
    Object.freeze(Object.fromEntries(names.map((name, j) => [name, of(j, name)])));
  const unit = Array.from(sign, (s, j) => (s === 0 ? (scaled[j] as number) : 1));

  const typical = names.map((_, j) => {
    const s = sign[j] as number;
    return column(j, (value) => (s === 0 ? value : s * Math.exp(value)) / (scaled[j] as number));
  });
  const population = byName((j, name) => summary(name, typical[j] as Float64Array[]));
  const effects = Object.freeze(
    Object.fromEntries(
      upper.names.map((covariate, c) => [
        covariate,
        byName((j, name) => {
          const factor = (unit[j] as number) * (upper.ranges[c] as number);
          return summary(
            `${name} by ${covariate}`,
            column((c + 1) * p + j, (value) => value / factor),
          );
        }),
      ]),
    ),
  );
  const heterogeneityCovariance = names.map(() => new Array<number>(p).fill(0));
  const heterogeneity: Record<string, PosteriorSummary> = {};
  for (const [i, name] of names.entries()) {
    for (let j = 0; j <= i; j++) {
      const at = m * p + (i * (i + 1)) / 2 + j;
      const draws = column(at, (value) => value / ((unit[i] as number) * (unit[j] as number)));
      const middle = average(draws.map(average));
      (heterogeneityCovariance[i] as number[])[j] = (heterogeneityCovariance[j] as number[])[i] = middle;
      if (i === j) {
        heterogeneity[name] = summary(
          `sd of ${name}`,
          draws.map((chain) => chain.map(Math.sqrt)),
        );
      } else summary(`covariance of ${names[j]} and ${name}`, draws);
    }
  }
  const joined = typical.map((draws) => Float64Array.from(draws.flatMap((chain) => Array.from(chain))));
  const warnings =
    apart.length === 0
      ? []
      : [
          `the chains do not agree (R-hat up to ${worst.rHat.toFixed(2)}) about ${apart.length > 3 ? `${apart.slice(0, 3).join(", ")} and ${apart.length - 3} more` : apart.join(", ")}: take more iterations, and a longer warm-up`,
        ];
  return {
    population: {
      population,
      effects,
      heterogeneity: Object.freeze(heterogeneity),
      heterogeneityCovariance,
      coefficients: byName((_, name) => population[name]?.mean as number),
      standardErrors: byName((_, name) => population[name]?.sd as number),
      covariance: joined.map((a) => joined.map((b) => covarianceOf(a, b))),
      populationDraws: byName((j) => joined[j] as Float64Array),
      diagnostics: Object.freeze(worst),
    },
    ...individualsOf(chains, scaled, iterations),
    warnings,
  };
}

function summaryOf(chains: Chains, level: number): PosteriorSummary {
  const sorted = Float64Array.from(chains.flatMap((chain) => Array.from(chain))).sort();
  return Object.freeze({
    mean: average(sorted),
    sd: Math.sqrt(covarianceOf(sorted, sorted)),
    low: quantileType7(sorted, (1 - level) / 2),
    median: quantileType7(sorted, 0.5),
    high: quantileType7(sorted, (1 + level) / 2),
    rHat: rHat(chains),
    essBulk: essBulk(chains),
    essTail: essTail(chains),
  });
}

/** Posterior means and standard deviations of the individual coefficients, and the draws kept, in the units of the data. */
function individualsOf(chains: readonly ChainDraws[], scaled: readonly number[], iterations: number) {
  const p = scaled.length;
  const size = chains[0]?.sum.length as number;
  const draws = chains.length * iterations;
  const added = (part: "sum" | "squares", at: number): number =>
    chains.reduce((sum, chain) => sum + (chain[part][at] as number), 0);
  const rows = (value: (at: number, range: number) => number): Float64Array[] =>
    Array.from({ length: size / p }, (_, i) =>
      Float64Array.from(scaled, (range, j) => value(i * p + j, range)),
    );
  const kept = new Float32Array(chains.reduce((sum, { individual }) => sum + individual.length, 0));
  let start = 0;
  for (const { individual } of chains) {
    for (let at = 0; at < individual.length; at++)
      kept[start + at] = (individual[at] as number) / (scaled[at % p] as number);
    start += individual.length;
  }
  return {
    means: rows((at, range) => added("sum", at) / draws / range),
    sds: rows((at, range) => {
      const mean = added("sum", at) / draws;
      return Math.sqrt(Math.max(0, added("squares", at) / draws - mean * mean)) / range;
    }),
    kept,
  };
}

function nullLogLikelihood({ setStart, weight }: ChoiceDesign): number {
  return weight.reduce(
    (sum, w, set) => sum - w * Math.log((setStart[set + 1] as number) - (setStart[set] as number)),
    0,
  );
}

/** How well coefficients of each respondent name what was chosen: mean log probability, and weighted share of hits. */
function fitOf(
  { names, x, setStart, choice, weight, respondentStart }: ChoiceDesign,
  { values }: PartWorths,
): { readonly rootLikelihood: number; readonly hitRate: number } {
  const p = names.length;
  let [hits, logLikelihood, total] = [0, 0, 0];
  for (const [who, b] of values.entries()) {
    for (let set = respondentStart[who] as number; set < (respondentStart[who + 1] as number); set++) {
      const [from, to] = [setStart[set] as number, setStart[set + 1] as number];
      const utilities = Array.from({ length: to - from }, (_, k) =>
        b.reduce((sum, value, j) => sum + value * (x[(from + k) * p + j] as number), 0),
      );
      const most = Math.max(...utilities);
      const chosen = (choice[set] as number) - from;
      const w = weight[set] as number;
      const sum = utilities.reduce((parts, utility) => parts + Math.exp(utility - most), 0);
      logLikelihood += w * ((utilities[chosen] as number) - most - Math.log(sum));
      if (utilities.indexOf(most) === chosen) hits += w;
      total += w;
    }
  }
  return { rootLikelihood: Math.exp(logLikelihood / total), hitRate: hits / total };
}

function dataWarnings(
  { names, respondentStart, respondents }: ChoiceDesign,
  ranges: readonly number[],
): string[] {
  const p = names.length;
  const warnings = names
    .filter((_, j) => ranges[j] === 0)
    .map((name) => `${name} never varies within a choice set: its coefficients are the prior's`);
  const sets = respondents.map((_, i) => (respondentStart[i + 1] as number) - (respondentStart[i] as number));
  const few = sets.filter((count) => count < p).length;
  if (2 * few > sets.length)
    warnings.push(
      `${few} of ${sets.length} respondents made fewer choices than there are coefficients (${p}): their part-worths lean on the population's`,
    );
  if (sets.length < 2 * p)
    warnings.push(
      `${sets.length} respondents say little about the heterogeneity of ${p} coefficients: it leans on the prior`,
    );
  return warnings;
}

const COLLINEAR = 1e-10; // part of a column's variance that others leave

/** Which column about respondents is the first to follow from others: the prior always gives an answer. */
function upperWarnings({ names, z }: UpperColumns): string[] {
  const columns = names.map((_, c) => z.filter((__, at) => at % (names.length + 1) === c + 1));
  const crossed = columns.map((left) => columns.map((right) => dot(left, right)));
  const first = names.findIndex((_, c) => {
    const factor = choleskyFactor(crossed.slice(0, c + 1).map((row) => row.slice(0, c + 1)));
    return (factor?.[c]?.[c] ?? 0) ** 2 <= COLLINEAR * (crossed[c]?.[c] as number);
  });
  if (first === -1) return [];
  return [
    `covariate ${names[first]} of the respondents follows from ${names.slice(0, first).join(", ")}: the prior alone tells their effects apart`,
  ];
}

/** What choices alone would not determine, if all had the same tastes: the prior always gives an answer. */
function identificationWarnings(rows: ChoiceRows, attributes: AttributeColumns): string[] {
  const model = "the choices need the prior";
  if (Object.keys(attributes).length === 0) return [];
  try {
    fitSameTastes({ model, penalisable: false }, rows, attributes);
    return [];
  } catch (error) {
    if (error instanceof DataError || error instanceof ConvergenceError) return [error.message];
    throw error;
  }
}

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

function covarianceOf(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [average(a), average(b)];
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - meanA) * ((b[i] as number) - meanB);
  return sum / (a.length - 1);
}
