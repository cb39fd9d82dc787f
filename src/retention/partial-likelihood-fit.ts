import { requireOneOf } from "../core/arguments.js";
import { type ConcaveFit, fitConcave } from "../numeric/concave-fit.js";
import { invertSymmetric, quadraticForm, sandwichCovariance } from "../numeric/matrix.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";
import {
  logRisks,
  type PartialLikelihood,
  partialLikelihood,
  positionResiduals,
  type RiskDesign,
  type Ties,
} from "./risk-sets.js";

/** A chi-square test of all coefficients at once. */
export interface ChiSquareTest {
  /** The statistic. */
  readonly chiSquare: number;
  /** How many coefficients it tests. */
  readonly degreesOfFreedom: number;
  /** Chance of a larger statistic if all are 0. */
  readonly p: number;
}

/** Coefficients of a hazard model by covariate, with what they are worth. */
export interface HazardCoefficients {
  /** Change of the log hazard for one unit of each covariate. */
  readonly coefficients: Readonly<Record<string, number>>;
  /** Standard errors; robust (sandwich) ones if the fit was asked for them. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z. */
  readonly p: Readonly<Record<string, number>>;
  /** Covariance of the coefficients in the order of `coefficients`, of the kind of the standard errors. */
  readonly covariance: readonly (readonly number[])[];
  /** Inverse of the information: the covariance if the model is right and rows are independent. */
  readonly modelCovariance: readonly (readonly number[])[];
  /** True if `covariance` is the sandwich estimate. */
  readonly robust: boolean;
  /** Log partial likelihood, without the penalty. */
  readonly logLikelihood: number;
  /** Log partial likelihood with all coefficients 0. */
  readonly nullLogLikelihood: number;
  /** Test by the gain in likelihood. */
  readonly likelihoodRatioTest: ChiSquareTest;
  /** Test by the coefficients and their covariance. */
  readonly waldTest: ChiSquareTest;
  /** Test by the slope of the likelihood at 0; for one grouping covariate without ties the log-rank test. */
  readonly scoreTest: ChiSquareTest;
  /** Newton steps taken. */
  readonly iterations: number;
}

/** What a fit by partial likelihood needs besides the rows. */
export interface PartialFitOptions {
  /** Name for messages. */
  readonly model: string;
  readonly ties: Ties;
  readonly penalty: number;
  /** Clusters by row for the sandwich covariance; every row its own if `true`, none if `false`. */
  readonly robust: Uint32Array | boolean;
}

/** Coefficients on the scale of the design, and the result in the units of the covariates. */
export interface PartialFit {
  readonly beta: Float64Array;
  readonly result: HazardCoefficients;
}

/**
 * Maximum (penalised) partial likelihood from coefficients of 0.
 * @throws DataError naming covariates that are linear combinations of others, or do not vary where events happen;
 * ConvergenceError naming covariates that separate who leaves from who stays.
 */
export function fitPartialLikelihood(design: RiskDesign, options: PartialFitOptions): PartialFit {
  const { model, ties, penalty } = options;
  const { names, range, scale } = design;
  requireOneOf("ties", ties, ["efron", "breslow"]);
  const weight = design.weight.reduce((sum, value) => sum + value, 0);
  const optimum = fitConcave({
    model,
    names,
    likelihood: (beta) => partialLikelihood(design, beta, ties),
    ranges: names.map((_, j) => (range[j] as number) / (scale[j] as number)),
    ridge: names.map(() => penalty * weight),
    idle: "must vary among those at risk when somebody leaves",
    separated: "some value of it goes with nobody leaving, or always with the first to leave",
  });
  return { beta: optimum.beta, result: resultOf(design, options, optimum) };
}

function resultOf(
  design: RiskDesign,
  options: PartialFitOptions,
  optimum: ConcaveFit<PartialLikelihood>,
): HazardCoefficients {
  const { names, scale } = design;
  const { beta, state, start, inverse, iterations } = optimum;
  const scaled = options.robust === false ? inverse : sandwich(design, options, beta, inverse);
  const inUnits = (matrix: readonly (readonly number[])[]): number[][] =>
    matrix.map((row, i) => row.map((value, j) => value / (scale[i] as number) / (scale[j] as number)));
  const covariance = inUnits(scaled);
  const coefficients = Array.from(beta, (value, j) => value / (scale[j] as number));
  const errors = covariance.map((row, j) => Math.sqrt(row[j] as number));
  const z = coefficients.map((value, j) => value / (errors[j] as number));
  const byName = (values: readonly number[]): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(names.map((name, j) => [name, values[j] as number])));
  const precision = invertSymmetric(scaled);
  const slopes = invertSymmetric(start.information);
  return {
    coefficients: byName(coefficients),
    standardErrors: byName(errors),
    z: byName(z),
    p: byName(z.map(twoSidedP)),
    covariance,
    modelCovariance: options.robust === false ? covariance : inUnits(inverse),
    robust: options.robust !== false,
    logLikelihood: state.logLikelihood,
    nullLogLikelihood: start.logLikelihood,
    likelihoodRatioTest: test(2 * (state.logLikelihood - start.logLikelihood), names.length),
    waldTest: test(precision ? quadraticForm(precision, beta) : 0, names.length),
    scoreTest: test(slopes ? quadraticForm(slopes, start.score) : 0, names.length),
    iterations,
  };
}

const test = (chiSquare: number, degreesOfFreedom: number): ChiSquareTest =>
  Object.freeze({ chiSquare, degreesOfFreedom, p: chiSquareTail(chiSquare, degreesOfFreedom) });

/**
 * Sandwich covariance: the sum over clusters of squared sums of dfbeta residuals.
 * @see Lin & Wei (1989), JASA 84(408).
 */
function sandwich(
  design: RiskDesign,
  { ties, robust }: PartialFitOptions,
  beta: Float64Array,
  inverse: readonly (readonly number[])[],
): number[][] {
  const p = design.names.length;
  const { score } = positionResiduals(design, logRisks(design, beta), ties);
  const clusters = robust instanceof Uint32Array ? robust : undefined;
  const count = clusters ? clusters.reduce((most, code) => Math.max(most, code), 0) + 1 : design.size;
  const sums = new Float64Array(count * p);
  for (let q = 0; q < design.size; q++) {
    const place = clusters ? (clusters[design.row[q] as number] as number) : q;
    for (let j = 0; j < p; j++) {
      sums[place * p + j] =
        (sums[place * p + j] as number) + (design.weight[q] as number) * (score[q * p + j] as number);
    }
  }
  return sandwichCovariance(inverse, sums);
}
