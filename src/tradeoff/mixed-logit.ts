import { requireWhole } from "../core/arguments.js";
import { ConvergenceError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { invertDetermined } from "../numeric/determined-inverse.js";
import { invertSymmetric, type Matrix } from "../numeric/matrix.js";
import { drawNormal } from "../numeric/sampling.js";
import { twoSidedP } from "../numeric/tail-probability.js";
import {
  type AttributeColumns,
  type ChoiceDesign,
  type ChoiceRows,
  choiceDesign,
  unitWeights,
} from "./choice-data.js";
import { type ConditionalLogitFit, fitSameTastes } from "./conditional-logit.js";
import {
  type Derivatives,
  type MixedLogitKernel,
  mixedLogitKernel,
  type Slope,
  type Term,
} from "./mixed-logit-kernel.js";
import {
  DISTRIBUTIONS,
  type DrawOptions,
  linkOf,
  type MixedLogitParameters,
  parameterList,
  standardDraws,
  type TasteDistribution,
  type TastePopulation,
  tastePopulation,
  termsOf,
} from "./mixed-logit-tastes.js";

/** How to fit a mixed logit model. */
export interface MixedLogitOptions extends DrawOptions {
  /** Covariates whose coefficients differ between respondents, and how they are distributed. */
  readonly tastes: Readonly<Record<string, TasteDistribution>>;
  /** Whether tastes may be correlated; false unless given. Of normal and log-normal ones only. */
  readonly correlated?: boolean;
  /**
   * "preference" unless given. In "willingness to pay" space utility is s (w'x - price): the coefficients are the
   * willingness to pay w and the scale s, whose distribution may be "log-normal".
   */
  readonly space?: "preference" | "willingness to pay";
  /** Name of the price in willingness-to-pay space. */
  readonly price?: string;
  /** Whether a respondent has the same tastes in all choices; true unless given, if respondents are. */
  readonly panel?: boolean;
  /** Standard errors: "model" unless given, or "respondent", robust to a wrong model (sandwich over respondents). */
  readonly errors?: "model" | "respondent";
  /** Searches: the first from the conditional logit, others from random places around it; 1 unless given. */
  readonly starts?: number;
  /** Where to search from, in place of the conditional logit: the parameters of an earlier fit. */
  readonly from?: MixedLogitParameters;
  /** Called after each evaluation of the likelihood. */
  readonly onProgress?: (progress: MixedLogitProgress) => void;
  /** Ends the search with the signal's reason; it is asked after each evaluation. */
  readonly signal?: AbortSignal;
}

/** How far a search has come. */
export interface MixedLogitProgress {
  /** Number of the search, from 1 up. */
  readonly start: number;
  /** Evaluations of the likelihood so far. */
  readonly evaluations: number;
  /** Draws for each respondent in this evaluation: the search begins with few. */
  readonly draws: number;
  /** Log-likelihood just found. */
  readonly logLikelihood: number;
}

/** A fitted mixed logit model. */
export interface MixedLogitFit {
  readonly model: "mixed logit";
  /** What predictions need. */
  readonly parameters: MixedLogitParameters;
  /**
   * Estimates: the location of each covariate by its name, then "sd x" for each taste (of the logarithm if it is log-normal),
   * positive, then "correlation x y" if tastes may be correlated.
   */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Standard errors of what is determined; undetermined estimates have none. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z; for an sd, which cannot be negative, too large. */
  readonly p: Readonly<Record<string, number>>;
  /** Covariance of the coefficients, in their order; 0 for what is undetermined. */
  readonly covariance: Matrix;
  /** Kind of the standard errors and the covariance. */
  readonly errors: "model" | "respondent";
  /** Each taste over the population. */
  readonly population: Readonly<Record<string, TastePopulation>>;
  /** Simulated log-likelihood. */
  readonly logLikelihood: number;
  /** Log-likelihood if all alternatives of a set were equally likely. */
  readonly nullLogLikelihood: number;
  /** Log-likelihood if all respondents had the same tastes (conditional logit). */
  readonly sameTastesLogLikelihood: number;
  /** 1 - log-likelihood / that of equal shares (McFadden). */
  readonly mcFaddenR2: number;
  /** Root likelihood: geometric mean of the probabilities of what was chosen. */
  readonly rootLikelihood: number;
  /** Akaike's criterion. */
  readonly aic: number;
  /** Schwarz's criterion, with the number of choices. */
  readonly bic: number;
  /** Slope of the log-likelihood at the estimate, in standard errors of its direction. */
  readonly gradientNorm: number;
  /** Choices, weights counted. */
  readonly observations: number;
  /** Respondents. */
  readonly respondents: number;
  /** Whether a respondent has the same tastes in all choices. */
  readonly panel: boolean;
  /** Draws for each respondent. */
  readonly draws: number;
  /** How they were drawn. */
  readonly sequence: "sobol" | "halton";
  /** Evaluations of the likelihood in all searches. */
  readonly evaluations: number;
  /** False if the gradient is small but not at its limit; `warnings` says so. */
  readonly converged: boolean;
  /** How well the data tell the parameters apart. */
  readonly identification: {
    /** Of the information, scaled to a unit diagonal. */
    readonly conditionNumber: number;
    /** Estimates that the data do not determine. */
    readonly undetermined: readonly string[];
  };
  /** What makes the numbers doubtful. */
  readonly warnings: readonly string[];
}

const FEWEST_DRAWS = 250;
const COARSER = 4; // the search begins with so many times fewer draws, more than once if that leaves enough
const FEWEST_COARSE = 32;
const MAX_ITERATIONS = 60;
const SETTLED = 1e-9; // log-likelihood that one more step would gain
const COARSELY_SETTLED = 0.1; // the same with few draws
const NEAR = 5; // gain expected of a step, from which on the function counts as nearly quadratic
const ALMOST_SETTLED = 1e-3;
const FAIR = 0.1; // share of the gain expected that a step must reach
const FIRST_DAMPING = 0.25;
const MOST_DAMPING = 1e6;
const FLATTEST = 1e-9; // share added to the diagonal of the curvature
const WEAK = 1000; // condition number
const RESPONDENTS_PER_SPREAD = 10;

/**
 * Mixed logit model: a conditional logit whose coefficients differ between respondents by distributions to be estimated. The
 * probability of a respondent's choices is averaged over draws of the tastes (maximum simulated likelihood), with analytic
 * gradient and Hessian. The search begins at the conditional logit with few of the draws, and ends with all.
 * @throws DataError if the choices are bad, or weights differ between the choices of a respondent; RangeError if an option
 * is out of range or names no covariate; ConvergenceError if the search does not settle.
 * @see Revelt & Train (1998), Mixed Logit with Repeated Choices, Review of Economics and Statistics 80(4); Train & Weeks
 * (2005), Discrete Choice Models in Preference Space and Willingness-to-Pay Space; Train (2009), Discrete Choice Methods
 * with Simulation, 2nd ed., chapters 6, 8 and 9.
 */
export function fitMixedLogit(
  rows: ChoiceRows,
  attributes: AttributeColumns,
  options: MixedLogitOptions,
): MixedLogitFit {
  const { tastes, correlated = false, errors = "model", sequence = "sobol" } = options;
  const price = checkOptions(options, Object.keys(attributes));
  const simple = fitSameTastes({ model: "mixed logit", penalisable: false }, rows, attributes);
  const problem = mixedLogitProblem(choiceDesign(rows, attributes), {
    ...options,
    correlated,
    price,
    panel: options.panel ?? rows.respondent !== undefined,
  });
  const { names, terms, size, units } = problem;
  const known = Object.keys(tastes);
  const warnings = dataWarnings(problem, tastes, correlated);
  const begin = options.from
    ? parameterList(options.from, terms)
    : startOf(problem, tastes, simple, warnings);
  const { best, evaluations } = searchFrom(problem, begin, options);
  const { theta, logLikelihood, information, gain } = best;
  const { inverse, lost, conditionNumber, weakest } = invertDetermined(information);
  const labels = terms.map(({ covariate, draw }) => {
    const other = draw === -1 ? names[covariate] : known[draw];
    return draw === -1
      ? (names[covariate] as string)
      : `${other === names[covariate] ? "sd" : `spread ${other}`} ${names[covariate]}`;
  });
  const parameters = parametersAt(problem, tastes, price, theta);
  const reported = reportedEstimates(problem, tastes, correlated, theta);
  const population = populationOf(parameters, reported.deviations);
  if (!(gain < ALMOST_SETTLED)) {
    const values = labels.map((name, a) => `${name}=${(theta[a] as number).toPrecision(4)}`);
    throw new ConvergenceError(
      `mixed logit did not settle in ${evaluations} evaluations: log-likelihood ${logLikelihood.toPrecision(8)}, where a further step ` +
        `promises ${gain.toPrecision(2)}, at ${values.join(" ")}; fewer tastes may fit, or normal ones in place of log-normal`,
    );
  }
  if (gain > SETTLED)
    warnings.push(`the search stopped where a further step would gain ${gain.toPrecision(2)}`);
  const spread = errors === "model" ? inverse : sandwich(inverse, respondentScores(problem, theta));
  const covariance = transformed(spread, reported.jacobian);
  const undetermined = reported.names.filter((_, i) =>
    lost.some((a) => (reported.jacobian[i] as readonly number[])[a] !== 0),
  );
  if (undetermined.length > 0) {
    warnings.push(
      `the data do not determine ${undetermined.join(", ")}: they have no standard errors, and those of the others hold for these values of them`,
    );
  }
  if (undetermined.length === 0 && conditionNumber > WEAK) {
    warnings.push(
      `${weakest.map((a) => labels[a]).join(", ")} are hardly told apart (condition number ${conditionNumber.toPrecision(2)}), and draws may hide that the data do not tell them apart at all: look at mixedLogitStability, or let fewer tastes differ`,
    );
  }
  const determined = reported.names.flatMap((name, i) => (undetermined.includes(name) ? [] : [i]));
  for (const i of undetermined.map((name) => reported.names.indexOf(name))) {
    (covariance[i] as number[]).fill(0);
    for (const row of covariance) row[i] = 0;
  }
  const errorOf = (i: number): number => Math.sqrt(covariance[i]?.[i] as number);
  const zOf = (i: number): number => (reported.values[i] as number) / errorOf(i);
  const byName = (value: (i: number) => number): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(determined.map((i) => [reported.names[i] as string, value(i)])));
  warnings.push(...spreadWarnings(determined, names.length, reported, errorOf));
  const total = problem.observations;
  const count = terms.length;
  return Object.freeze({
    model: "mixed logit",
    parameters,
    coefficients: Object.freeze(
      Object.fromEntries(reported.names.map((name, i) => [name, reported.values[i] as number])),
    ),
    standardErrors: byName(errorOf),
    z: byName(zOf),
    p: byName((i) => twoSidedP(zOf(i))),
    covariance,
    errors,
    population,
    logLikelihood,
    nullLogLikelihood: simple.nullLogLikelihood,
    sameTastesLogLikelihood: simple.logLikelihood,
    mcFaddenR2: 1 - logLikelihood / simple.nullLogLikelihood,
    rootLikelihood: Math.exp(logLikelihood / total),
    aic: 2 * count - 2 * logLikelihood,
    bic: count * Math.log(total) - 2 * logLikelihood,
    gradientNorm: Math.sqrt(2 * gain),
    observations: total,
    respondents: simple.respondents,
    panel: units.panel,
    draws: size,
    sequence,
    evaluations,
    converged: gain <= SETTLED,
    identification: Object.freeze({ conditionNumber, undetermined }),
    warnings: warnings.map((text) => `mixed logit: ${text}`),
  });
}

/** @throws ConvergenceError naming a log-normal taste that the search drove to 0. */
function populationOf(
  { tastes, location }: MixedLogitParameters,
  deviations: ArrayLike<number>,
): MixedLogitFit["population"] {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(tastes).map(([name, distribution], row) => {
        const taste = tastePopulation(distribution, location[name] as number, deviations[row] as number);
        if (Number.isFinite(taste.mean) && Number.isFinite(taste.standardDeviation)) return [name, taste];
        throw new ConvergenceError(
          `mixed logit: ${name} is ${distribution}, but the choices drive it to 0 (the mean of its logarithm to ${location[name]?.toPrecision(2)}): it may have the other sign, or be normal`,
        );
      }),
    ),
  );
}

/** What the model is made of, for `mixedLogitProblem`. */
export interface ProblemOptions extends DrawOptions {
  readonly tastes: Readonly<Record<string, TasteDistribution>>;
  readonly correlated: boolean;
  readonly price: string | null;
  readonly panel: boolean;
}

/** Data, draws and the kernels that compute with some of the draws. */
export interface MixedLogitProblem {
  readonly names: readonly string[];
  readonly terms: readonly Term[];
  readonly design: ChoiceDesign;
  readonly units: {
    readonly panel: boolean;
    /** First set of each unit that shares its tastes, and the number of sets as one element more. */
    readonly start: Uint32Array;
  };
  /** Covariate of the price in willingness-to-pay space, else -1. */
  readonly priceAt: number;
  /** Draws for each unit. */
  readonly size: number;
  /** Choices, weights counted. */
  readonly observations: number;
  readonly kernel: (draws: number) => MixedLogitKernel;
}

/**
 * The likelihood of a mixed logit model on data.
 * @throws DataError if weights differ between the choices of a respondent.
 */
export function mixedLogitProblem(design: ChoiceDesign, options: ProblemOptions): MixedLogitProblem {
  const { tastes, correlated, price, panel, draws = 1000 } = options;
  const { names, weight } = design;
  const dimensions = Object.keys(tastes).length;
  const size = dimensions === 0 ? 1 : draws;
  const start = panel
    ? design.respondentStart
    : Uint32Array.from({ length: weight.length + 1 }, (_, set) => set);
  const units = start.length - 1;
  const terms = termsOf(names, tastes, correlated);
  const priceAt = price === null ? -1 : names.indexOf(price);
  const problem = {
    design,
    unitStart: start,
    weight: unitWeights(design, start),
    links: names.map((name) => linkOf(tastes[name])),
    terms,
    price: priceAt,
    draws: standardDraws(units, tastes, { ...options, draws: size }),
    dimensions,
    size,
  };
  return {
    names,
    terms,
    design,
    units: { panel, start },
    priceAt,
    size,
    observations: weight.reduce((sum, value) => sum + value, 0),
    kernel: (count) => mixedLogitKernel(problem, count),
  };
}

/** The price in willingness-to-pay space, null in preference space. @throws RangeError if an option is out of range. */
function checkOptions(options: MixedLogitOptions, names: readonly string[]): string | null {
  const { tastes, correlated = false, space = "preference", price, starts = 1 } = options;
  for (const [name, distribution] of Object.entries(tastes)) {
    if (!names.includes(name))
      throw new RangeError(
        `tastes must be of ${names.join(", ") || "attributes, but there are none"}, got "${name}"`,
      );
    if (!DISTRIBUTIONS.includes(distribution)) {
      throw new RangeError(
        `tastes of ${name} must be one of ${DISTRIBUTIONS.join(", ")}, got "${distribution}"`,
      );
    }
    if (correlated && (distribution === "triangular" || distribution === "uniform")) {
      throw new RangeError(
        `correlated tastes must be normal or log-normal, got "${distribution}" for ${name}`,
      );
    }
  }
  requireWhole("starts", starts, 1);
  if (space === "preference") return null;
  if (price === undefined || !names.includes(price)) {
    throw new RangeError(`price must be one of ${names.join(", ")}, got ${describe(price)}`);
  }
  const scale = tastes[price];
  if (scale !== undefined && scale !== "log-normal") {
    throw new RangeError(
      `the scale (tastes of ${price}) must be log-normal or the same for all, got "${scale}"`,
    );
  }
  return price;
}

/** The best of searches from the place given and from random ones around it. */
function searchFrom(
  problem: MixedLogitProblem,
  begin: readonly number[],
  { starts = 1, random, onProgress, signal, from }: MixedLogitOptions,
): { best: Found; evaluations: number } {
  let evaluations = 0;
  let best: Found | undefined;
  for (let start = 1; start <= starts; start++) {
    const source = random.stream("start").stream(start);
    const place = start === 1 ? begin : begin.map((value) => value * (1 + drawNormal(source) / 2));
    const found = search(problem, place, from !== undefined, (logLikelihood, draws) => {
      evaluations++;
      onProgress?.({ start, evaluations, draws, logLikelihood });
      signal?.throwIfAborted();
    });
    if (!best || found.logLikelihood > best.logLikelihood) best = found;
  }
  return { best: best as Found, evaluations };
}

/** Where a search ended. */
interface Found extends Derivatives {
  readonly theta: Float64Array;
  /** Log-likelihood that a further step would gain. */
  readonly gain: number;
}

/** A place of the search. */
interface Place extends Slope {
  readonly theta: Float64Array;
}

/**
 * Search with few draws, then with more and with all. With few draws the first steps go by the outer product of the scores
 * (Berndt, Hall, Hall and Hausman), which always leads uphill and takes no second derivatives; the others are Newton's.
 * @see Train (2009), section 8.3.
 */
function search(
  problem: MixedLogitProblem,
  start: readonly number[],
  isNear: boolean,
  report: (logLikelihood: number, draws: number) => void,
): Found {
  let theta: Float64Array = Float64Array.from(start);
  let found: Found | undefined;
  const stages = isNear ? [problem.size] : stagesOf(problem.size);
  for (const draws of stages) {
    const kernel = problem.kernel(draws);
    const reported = <Kind extends Slope>(slope: Kind, at: Float64Array): Kind & Place => {
      report(slope.logLikelihood, draws);
      return { ...slope, theta: at };
    };
    const probe = (at: Float64Array): number => reported(kernel.slope(at), at).logLikelihood;
    const slopeAt = (at: Float64Array): Place => reported(kernel.slope(at), at);
    if (draws === stages[0] && !isNear)
      theta = climb(slopeAt, undefined, theta, ({ outer }) => outer, NEAR).theta;
    const enough = draws === problem.size ? SETTLED : COARSELY_SETTLED;
    const placeAt = (at: Float64Array): Derivatives & Place => reported(kernel.derivatives(at), at);
    const end = climb(placeAt, probe, theta, ({ information }) => information, enough);
    theta = end.theta;
    found = { ...end, gain: gainLeft(end) };
  }
  return found as Found;
}

/** Numbers of draws to search with, in turn: powers of two, the most even, then all. */
function stagesOf(size: number): number[] {
  const stages = [size];
  for (let draws = size; ; ) {
    draws = 2 ** Math.round(Math.log2(draws / COARSER));
    if (draws < FEWEST_COARSE) return stages;
    stages.unshift(draws);
  }
}

/**
 * Uphill by steps to the top of a quadratic function with the curvature given, until the next would gain too little, or none
 * rises. Where the curvature is not positive definite, or a step does not reach a fair share of the gain expected, multiples of
 * the outer product of the scores are added to it: that shortens the step, and turns it uphill.
 */
function climb<At extends Place>(
  visit: (theta: Float64Array) => At,
  probe: ((theta: Float64Array) => number) | undefined,
  start: Float64Array,
  curvature: (place: At) => Matrix,
  enough: number,
): At {
  let here = visit(start);
  let damping = 0;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    let next: At | undefined;
    let isFirst = true;
    while (!next) {
      if (damping > MOST_DAMPING) return here;
      const { step, gain } = uphill(here, curvature(here), damping);
      if (gain < enough && damping <= 1) return here;
      if (gain >= 0) {
        const theta = here.theta.map((value, a) => value + (step[a] as number));
        const fair = here.logLikelihood + FAIR * gain;
        // A first step that expects little is mostly good: all is computed there at once. Others are probed before.
        const isGood = !probe || (isFirst && gain <= NEAR) || probe(theta) >= fair;
        const place = isGood ? visit(theta) : here;
        if (place !== here && place.logLikelihood >= fair) next = place;
        else isFirst = false;
      }
      if (!next) damping = Math.max(4 * damping, FIRST_DAMPING);
    }
    if (isFirst) damping /= 16;
    if (damping <= FIRST_DAMPING) damping = 0;
    here = next;
  }
  return here;
}

/** What a further step would gain; by the outer product of the scores where the information is not positive definite. */
function gainLeft(place: Derivatives & Place): number {
  const { gain } = uphill(place, place.information, 0);
  return Number.isNaN(gain) ? uphill(place, place.outer, 0).gain : gain;
}

/**
 * The step to the top of a quadratic function and what it gains: NaN if the curvature, with so many times the outer product of the
 * scores, is not positive definite.
 */
function uphill(
  { gradient, outer, logLikelihood }: Place,
  curvature: Matrix,
  damping: number,
): { step: Float64Array; gain: number } {
  const step = new Float64Array(gradient.length);
  const bent = curvature.map((row, a) =>
    row.map((value, b) => {
      const sum = value + damping * (outer[a]?.[b] as number);
      return a === b ? sum * (1 + FLATTEST) || 1 : sum; // parameters that the likelihood does not feel stay where they are
    }),
  );
  const inverse = Number.isFinite(logLikelihood) ? invertSymmetric(bent) : undefined;
  if (!inverse) return { step, gain: Number.NaN };
  let gain = 0;
  for (const [a, row] of inverse.entries()) {
    for (const [b, value] of row.entries()) step[a] = (step[a] as number) + value * (gradient[b] as number);
    gain += ((step[a] as number) * (gradient[a] as number)) / 2;
  }
  return { step, gain };
}

/** Start of the search: the conditional logit, and spreads of half of each coefficient or two of its standard errors. */
function startOf(
  { names, terms, priceAt }: MixedLogitProblem,
  tastes: Readonly<Record<string, TasteDistribution>>,
  { coefficients, standardErrors }: ConditionalLogitFit,
  warnings: string[],
): number[] {
  const price = names[priceAt];
  const scale =
    price === undefined ? 1 : Math.max(-(coefficients[price] as number), standardErrors[price] as number);
  if (price !== undefined && (coefficients[price] as number) > 0) {
    warnings.push(
      `without differences in taste a higher ${price} is liked more: look at the scale before willingness to pay`,
    );
  }
  const centre = names.map((name) => {
    const [value, error] = [coefficients[name] as number, standardErrors[name] as number];
    if (name === price) return { value: scale, error };
    return { value: value / scale, error: error / scale };
  });
  const known = Object.keys(tastes);
  return terms.map(({ covariate, draw }) => {
    const name = names[covariate] as string;
    const { value, error } = centre[covariate] as { value: number; error: number };
    const link = linkOf(tastes[name]);
    if (draw !== -1 && known[draw] !== name) return 0;
    if (link === "identity") return draw === -1 ? value : Math.max(Math.abs(value) / 2, 2 * error);
    if (draw !== -1) return 0.5;
    const size = link === "exp" ? value : -value;
    if (size < 0) {
      warnings.push(
        `${name} is ${tastes[name]}, but without differences in taste its coefficient has the other sign: ${link === "exp" ? "negative log-normal" : "log-normal"} may be meant`,
      );
    }
    return Math.log(Math.max(size, error));
  });
}

function parametersAt(
  { names, terms }: MixedLogitProblem,
  tastes: Readonly<Record<string, TasteDistribution>>,
  price: string | null,
  theta: Float64Array,
): MixedLogitParameters {
  const known = Object.keys(tastes);
  const spread = known.map((_, row) => Array.from({ length: row + 1 }, () => 0));
  for (const [a, { covariate, draw }] of terms.entries()) {
    if (draw !== -1)
      (spread[known.indexOf(names[covariate] as string)] as number[])[draw] = theta[a] as number;
  }
  return Object.freeze({
    location: Object.freeze(Object.fromEntries(names.map((name, a) => [name, theta[a] as number]))),
    tastes: Object.freeze({ ...tastes }),
    spread,
    price,
  });
}

/** Estimates as they are reported, and their derivatives by the searched parameters. */
interface Reported {
  readonly names: readonly string[];
  readonly values: readonly number[];
  readonly jacobian: Matrix;
  /** Standard deviation of each taste. */
  readonly deviations: readonly number[];
}

/** Locations, standard deviations and correlations from locations and the spread. */
function reportedEstimates(
  { names, terms }: MixedLogitProblem,
  tastes: Readonly<Record<string, TasteDistribution>>,
  correlated: boolean,
  theta: Float64Array,
): Reported {
  const known = Object.keys(tastes);
  const place = (row: number, column: number): number =>
    terms.findIndex(({ covariate, draw }) => draw === column && names[covariate] === known[row]);
  const columns = (row: number): number[] =>
    correlated ? Array.from({ length: row + 1 }, (_, column) => column) : [row];
  const at = (row: number, column: number): number => theta[place(row, column)] as number;
  const deviations = known.map((_, row) => Math.hypot(...columns(row).map((column) => at(row, column))));
  const labels = [...names];
  const values = names.map((_, a) => theta[a] as number);
  const jacobian = names.map((_, a) => terms.map((_term, b) => Number(a === b)));
  const add = (name: string, value: number, slopes: readonly (readonly [number, number])[]): void => {
    const row = terms.map(() => 0);
    for (const [a, slope] of slopes) row[a] = (row[a] as number) + slope;
    labels.push(name);
    values.push(value);
    jacobian.push(row);
  };
  for (const [row, name] of known.entries()) {
    const deviation = deviations[row] as number;
    const slopes = columns(row).map(
      (column) => [place(row, column), deviation === 0 ? 1 : at(row, column) / deviation] as const,
    );
    add(`sd ${name}`, deviation, slopes);
  }
  for (const [row, name] of correlated ? known.entries() : []) {
    for (let other = 0; other < row; other++) {
      const shared = columns(other);
      const [a, b] = [deviations[row] || 1, deviations[other] || 1];
      const value = shared.reduce((sum, column) => sum + at(row, column) * at(other, column), 0) / (a * b);
      const partOf = (mine: number, yours: number, size: number, scale: number): number =>
        yours / scale - (value * mine) / size ** 2;
      add(`correlation ${name} ${known[other]}`, value, [
        ...columns(row).map(
          (column) =>
            [
              place(row, column),
              partOf(at(row, column), column <= other ? at(other, column) : 0, a, a * b),
            ] as const,
        ),
        ...shared.map(
          (column) => [place(other, column), partOf(at(other, column), at(row, column), b, a * b)] as const,
        ),
      ]);
    }
  }
  return { names: labels, values, jacobian, deviations };
}

/** Scores by respondent, also where every choice has its own tastes. */
function respondentScores(problem: MixedLogitProblem, theta: Float64Array): Float64Array[] {
  const scores = problem.kernel(problem.size).scores(theta);
  const { respondentStart } = problem.design;
  if (problem.units.panel) return scores;
  return Array.from({ length: respondentStart.length - 1 }, (_, respondent) => {
    const sum = new Float64Array(theta.length);
    for (const score of scores.slice(respondentStart[respondent], respondentStart[respondent + 1]))
      for (let a = 0; a < sum.length; a++) sum[a] = (sum[a] as number) + (score[a] as number);
    return sum;
  });
}

/** Inverse information, times the sum of the squared scores, times the inverse information. */
function sandwich(inverse: Matrix, scores: readonly Float64Array[]): number[][] {
  const meat = inverse.map((row, a) =>
    row.map((_, b) => scores.reduce((sum, score) => sum + (score[a] as number) * (score[b] as number), 0)),
  );
  return transformed(meat, inverse);
}

/** J C J'. */
function transformed(covariance: Matrix, jacobian: Matrix): number[][] {
  const left = jacobian.map((row) =>
    covariance.map((_, b) => row.reduce((sum, value, a) => sum + value * (covariance[a]?.[b] as number), 0)),
  );
  return left.map((row) =>
    jacobian.map((other) => row.reduce((sum, value, a) => sum + value * (other[a] as number), 0)),
  );
}

/** What the data and the draws make doubtful, before any estimate. */
function dataWarnings(
  { units, size }: MixedLogitProblem,
  tastes: Readonly<Record<string, TasteDistribution>>,
  correlated: boolean,
): string[] {
  const { start } = units;
  const known = Object.keys(tastes);
  if (known.length === 0) return [];
  const count = start.length - 1;
  const warnings: string[] = [];
  if (count === (start.at(-1) as number)) {
    warnings.push(
      `every taste is seen in one choice only: differences between respondents in ${known.join(", ")} are told from chance by the form of the model alone`,
    );
  }
  const free = (known.length * (known.length + 1)) / 2;
  if (correlated && count < RESPONDENTS_PER_SPREAD * free) {
    warnings.push(
      `${count} respondents are few for the ${free} variances and covariances of ${known.join(", ")}: leave out correlations, or pool`,
    );
  }
  if (size < FEWEST_DRAWS) {
    warnings.push(`${size} draws are few: estimates depend on them, look at mixedLogitStability`);
  }
  return warnings;
}

/** Tastes that may not differ between respondents at all. */
function spreadWarnings(
  determined: readonly number[],
  first: number,
  { names, values, deviations }: Reported,
  errorOf: (i: number) => number,
): string[] {
  return determined.flatMap((i) => {
    const isDeviation = i >= first && i < first + deviations.length;
    if (!isDeviation || (values[i] as number) > errorOf(i)) return [];
    return [`${names[i]} is within one standard error of 0: this taste may be the same for all`];
  });
}
