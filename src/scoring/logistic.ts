import { requireFromZero } from "../core/arguments.js";
import { finiteColumn, labelCodes, weightColumn } from "../core/columns.js";
import {
  type CovariateColumns,
  covariateColumns,
  covariateSpread,
  linearPredictor,
} from "../core/covariates.js";
import { DataError } from "../core/errors.js";
import { fitConcave, type LikelihoodAt } from "../numeric/concave-fit.js";
import {
  conditionNumber,
  congruence,
  dot,
  invertSymmetric,
  type Matrix,
  quadraticForm,
  sandwichCovariance,
} from "../numeric/matrix.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";

/** How to fit a logistic regression. */
export interface LogisticOptions {
  /** How many times each row counts, a number above 0; 1 unless given. */
  readonly weights?: ArrayLike<number>;
  /** A part of the log odds that is known, one number for each row; 0 unless given. */
  readonly offset?: ArrayLike<number>;
  /** False for log odds of 0 where all covariates are 0; true unless given. */
  readonly intercept?: boolean;
  /**
   * Ridge penalty from 0 up; 0 unless given. The log-likelihood loses penalty / 2 times the weight of all rows times the sum
   * of the squared coefficients of the covariates divided by their standard deviations; the intercept is free.
   */
  readonly penalty?: number;
  /** True for standard errors that hold if the model is not quite right (sandwich, without small-sample factor). */
  readonly robust?: boolean;
  /** Which rows belong together, for instance the months of one customer; robust standard errors follow. */
  readonly cluster?: ArrayLike<string | number>;
}

/** A chi-square test of all coefficients of covariates at once. */
export interface CoefficientTest {
  /** The statistic. */
  readonly chiSquare: number;
  /** How many coefficients it tests. */
  readonly degreesOfFreedom: number;
  /** Chance of a larger statistic if all are 0; 1 if there are none. */
  readonly p: number;
}

/** Log odds of an event as a sum of an intercept and covariates: what predictions need. */
export interface LogisticModel {
  /** Change of the log odds for one unit of each covariate, "intercept" for the log odds where all are 0. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** A fitted logistic regression. */
export interface LogisticFit extends LogisticModel {
  readonly model: "logistic";
  /** Standard errors of the parameters; robust ones if the fit was asked for them. */
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Parameter / standard error. */
  readonly z: Readonly<Record<string, number>>;
  /** Two-sided p values of z. */
  readonly p: Readonly<Record<string, number>>;
  /** Covariance in the order of the parameters, of the kind of the standard errors. */
  readonly covariance: readonly (readonly number[])[];
  /** True if `covariance` is the sandwich estimate. */
  readonly robust: boolean;
  /** Log-likelihood, without the penalty. */
  readonly logLikelihood: number;
  /** Log-likelihood with the intercept alone. */
  readonly nullLogLikelihood: number;
  /** Test by the gain in likelihood; a penalty makes the gain smaller than the test supposes. */
  readonly likelihoodRatioTest: CoefficientTest;
  /** Test by the coefficients and their covariance. */
  readonly waldTest: CoefficientTest;
  /** Ridge penalty. */
  readonly penalty: number;
  /** Rows, weights counted. */
  readonly observations: number;
  /** Rows with outcome 1, weights counted. */
  readonly events: number;
  /** Always true: a fit that does not settle is an error. */
  readonly converged: true;
  /** Newton steps taken. */
  readonly iterations: number;
  /** How well the data tell the coefficients apart. */
  readonly identification: {
    /** Of the information about the coefficients, scaled to a diagonal of 1. */
    readonly conditionNumber: number;
    /** True if covariates are so alike that single coefficients should not be read. */
    readonly weak: boolean;
  };
  readonly warnings: readonly string[];
}

const INTERCEPT = "intercept";
const WEAK_CONDITION = 1e6;

/** Rows of scaled covariates: the first column is the intercept's, if there is one. */
interface Design {
  readonly names: readonly string[];
  readonly size: number;
  readonly outcome: Float64Array;
  readonly weight: Float64Array;
  readonly offset: Float64Array;
  /** Row after row. */
  readonly x: Float64Array;
  readonly centre: readonly number[];
  readonly scale: readonly number[];
  readonly range: readonly number[];
  readonly intercept: boolean;
}

/**
 * Binary logistic regression by maximum (penalised) likelihood: Newton's method with step halving on centred and scaled
 * covariates, one pass over the rows each step. `outcomes` is 1 where the event happened and 0 where it did not.
 * @throws DataError if a column is bad, all outcomes are the same, or covariates are constant or linear combinations of
 * others; ConvergenceError naming covariates whose coefficient would be infinite (separation); RangeError if the penalty is
 * negative.
 * @see McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed., chapter 4; Albert & Anderson (1984), On the Existence
 * of Maximum Likelihood Estimates in Logistic Regression Models, Biometrika 71(1); White (1982), Maximum Likelihood
 * Estimation of Misspecified Models, Econometrica 50(1), for the sandwich.
 */
export function fitLogistic(
  outcomes: ArrayLike<number>,
  covariates: CovariateColumns,
  options: LogisticOptions = {},
): LogisticFit {
  const { penalty = 0, cluster, robust = cluster !== undefined } = options;
  requireFromZero({ penalty });
  const design = logisticDesign(outcomes, covariates, options);
  const { names, weight, outcome } = design;
  const observations = weight.reduce((sum, value) => sum + value, 0);
  const free = design.intercept ? 1 : 0;
  const restricted = design.intercept
    ? maximise(design, new Float64Array(1), [0])
    : { beta: [], state: likelihoodAt(design, new Float64Array(0)) };
  const begin = new Float64Array(names.length);
  begin.set(restricted.beta);
  const optimum = maximise(
    design,
    begin,
    names.map((_, j) => (j < free ? 0 : penalty * observations)),
  );
  const covariance = robust
    ? sandwich(
        design,
        optimum.beta,
        optimum.inverse,
        cluster && labelCodes("cluster", cluster, design.size).codes,
      )
    : optimum.inverse;
  const events = weight.reduce((sum, value, row) => sum + value * (outcome[row] as number), 0);
  const condition = conditionNumber(unitDiagonal(optimum.state.information));
  const weak = condition > WEAK_CONDITION;
  const gain = 2 * (optimum.state.logLikelihood - restricted.state.logLikelihood);
  const tested = names.map((_, j) => j).slice(free);
  const precision =
    tested.length === 0 ? [] : invertSymmetric(tested.map((i) => pick(covariance[i], tested)));
  if (!precision) {
    throw new DataError(
      `logistic: robust standard errors need more clusters than the ${tested.length} covariates, got too few`,
    );
  }
  const wald = quadraticForm(precision, optimum.beta.subarray(free));
  return Object.freeze({
    model: "logistic",
    ...inUnits(design, optimum.beta, covariance),
    robust,
    logLikelihood: optimum.state.logLikelihood,
    nullLogLikelihood: restricted.state.logLikelihood,
    likelihoodRatioTest: testOf(gain, tested.length),
    waldTest: testOf(wald, tested.length),
    penalty,
    observations,
    events,
    converged: true,
    iterations: optimum.iterations,
    identification: Object.freeze({ conditionNumber: condition, weak }),
    warnings: Object.freeze(
      weak
        ? [
            `logistic: covariates are nearly linear combinations of others (condition number ${condition.toExponential(1)}): do not read their coefficients one by one`,
          ]
        : [],
    ),
  });
}

/**
 * Probability of the event for each row of covariates.
 * @throws DataError if a covariate of the model is missing, has another length or a value that is not finite.
 */
export function predictProbability(
  fit: LogisticModel,
  covariates: CovariateColumns,
  options: Pick<LogisticOptions, "offset"> = {},
): Float64Array {
  const { intercept = 0, ...slopes } = fit.parameters;
  const [first = Object.keys(covariates)[0]] = Object.keys(slopes);
  const size = options.offset?.length ?? covariates[first ?? ""]?.length ?? 0;
  const offset = options.offset && finiteColumn("offset", options.offset, size);
  return linearPredictor(slopes, covariates, size).map((sum, row) =>
    probabilityOf(intercept + (offset?.[row] ?? 0) + sum),
  );
}

/** Probability of log odds. */
const probabilityOf = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));

/**
 * Dummy covariates of a column of labels: for each label but the reference one a column named `name=label`, 1 where the row
 * has it and else 0. The reference is the first label in order (numbers by size, texts by letter) unless given.
 * @throws DataError if a row has no label; RangeError if no row has the reference.
 */
export function dummies(
  name: string,
  labels: ArrayLike<string | number>,
  options: { readonly reference?: string | number } = {},
): Record<string, Float64Array> {
  const { codes, labels: distinct } = labelCodes(name, labels, labels.length);
  const reference = options.reference ?? distinct[0];
  if (!distinct.includes(reference as string | number)) {
    throw new RangeError(`reference must be one of ${distinct.join(", ")}, got ${reference}`);
  }
  return Object.fromEntries(
    distinct.flatMap((label, code) =>
      label === reference
        ? []
        : [[`${name}=${label}`, Float64Array.from(codes, (own) => Number(own === code))]],
    ),
  );
}

/**
 * Outcomes 0 and 1, both present.
 * @throws DataError if there are no rows, a value is neither, or all are the same.
 */
export function outcomeColumn(outcomes: ArrayLike<number>): Float64Array {
  if (outcomes.length === 0) throw new DataError("outcomes must have at least one row, got none");
  const column = finiteColumn(
    "outcome",
    outcomes,
    outcomes.length,
    (value) => value === 0 || value === 1,
    "0 or 1",
  );
  if (column.every((value) => value === column[0])) {
    throw new DataError(`outcomes must contain both 0 and 1, but all ${column.length} are ${column[0]}`);
  }
  return column;
}

function logisticDesign(
  outcomes: ArrayLike<number>,
  covariates: CovariateColumns,
  { weights, offset, intercept = true }: LogisticOptions,
): Design {
  const outcome = outcomeColumn(outcomes);
  const size = outcome.length;
  const given = Object.keys(covariates);
  if (!intercept && given.length === 0) {
    throw new DataError("covariates must name at least one column where there is no intercept, got none");
  }
  if (given.includes(INTERCEPT)) {
    throw new DataError(`covariates must not be named "${INTERCEPT}", got ${given.join(", ")}`);
  }
  const columns = covariateColumns(covariates, size);
  const spreads = columns.map((column, j) =>
    covariateSpread(given[j] as string, column, intercept ? undefined : 0),
  );
  const whole = intercept ? [{ centre: 0, scale: 1, range: 0 }, ...spreads] : spreads;
  const q = whole.length;
  const x = new Float64Array(size * q).fill(1);
  for (const [j, column] of columns.entries()) {
    const { centre, scale } = spreads[j] as (typeof spreads)[number];
    let at = j + q - columns.length;
    for (let row = 0; row < size; row++, at += q) x[at] = ((column[row] as number) - centre) / scale;
  }
  return {
    names: intercept ? [INTERCEPT, ...given] : given,
    size,
    outcome,
    weight: weightColumn(weights, size),
    offset: offset ? finiteColumn("offset", offset, size) : new Float64Array(size),
    x,
    centre: whole.map(({ centre }) => centre),
    scale: whole.map(({ scale }) => scale),
    range: whole.map(({ range }) => range),
    intercept,
  };
}

/** Likelihood of the first columns of the design, as many as there are coefficients. */
function likelihoodAt({ names, size, outcome, weight, offset, x }: Design, beta: Float64Array): LikelihoodAt {
  const stride = names.length;
  const q = beta.length;
  const score = new Float64Array(q);
  const information = new Float64Array(q * q); // its lower half
  let logLikelihood = 0;
  for (let row = 0, at = 0; row < size; row++, at += stride) {
    let logOdds = offset[row] as number;
    for (let j = 0; j < q; j++) logOdds += (x[at + j] as number) * (beta[j] as number);
    const share = Math.exp(-Math.abs(logOdds));
    const chance = (logOdds >= 0 ? 1 : share) / (1 + share);
    const y = outcome[row] as number;
    const w = weight[row] as number;
    logLikelihood += w * (y * logOdds - Math.max(logOdds, 0) - Math.log1p(share));
    const residual = w * (y - chance);
    const curvature = (w * share) / (1 + share) ** 2; // chance (1 - chance), without losing digits near 0 and 1
    for (let i = 0; i < q; i++) {
      const value = x[at + i] as number;
      score[i] = (score[i] as number) + residual * value;
      const weighted = curvature * value;
      for (let j = 0, place = i * q; j <= i; j++, place++) {
        information[place] = (information[place] as number) + weighted * (x[at + j] as number);
      }
    }
  }
  const element = (i: number, j: number): number => information[i > j ? i * q + j : j * q + i] as number;
  const rows = Array.from(score, (_, i) => Array.from(score, (_value, j) => element(i, j)));
  return { logLikelihood, score, information: rows };
}

/** Maximum over the coefficients of the first columns of the design, as many as there are to begin with. */
const maximise = (design: Design, begin: Float64Array, ridge: readonly number[]) =>
  fitConcave({
    model: "logistic",
    names: design.names.slice(0, begin.length),
    likelihood: (beta) => likelihoodAt(design, beta),
    ranges: design.range.map((range, j) => range / (design.scale[j] as number)),
    ridge,
    begin,
    idle: "must vary",
    separated: "some value of it goes with one outcome only",
  });

/** Coefficients and covariance of the scaled design in the units of the covariates, with what follows from them. */
function inUnits(
  { names, centre, scale, intercept }: Design,
  beta: Float64Array,
  scaled: Matrix,
): Pick<LogisticFit, "parameters" | "standardErrors" | "z" | "p" | "covariance"> {
  const back = names.map((_, i) =>
    names.map((_name, j) => {
      const shift = intercept && i === 0 && j > 0 ? -(centre[j] as number) : Number(i === j);
      return shift / (scale[j] as number);
    }),
  );
  const covariance = congruence(back, scaled);
  const parameters = back.map((row) => dot(row, beta));
  const errors = covariance.map((row, j) => Math.sqrt(row[j] as number));
  const z = parameters.map((value, j) => value / (errors[j] as number));
  const byName = (values: readonly number[]): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(names.map((name, j) => [name, values[j] as number])));
  return {
    parameters: byName(parameters),
    standardErrors: byName(errors),
    z: byName(z),
    p: byName(z.map(twoSidedP)),
    covariance: Object.freeze(covariance.map((row) => Object.freeze(row))),
  };
}

/** Sandwich covariance: the sum over clusters (or rows) of squared sums of scores, between two inverse informations. */
function sandwich(design: Design, beta: Float64Array, inverse: Matrix, clusters?: Uint32Array): number[][] {
  const { size, outcome, weight, offset, x, names } = design;
  const q = names.length;
  const count = clusters ? clusters.reduce((most, code) => Math.max(most, code), 0) + 1 : size;
  const sums = new Float64Array(count * q);
  for (let row = 0; row < size; row++) {
    const values = x.subarray(row * q, (row + 1) * q);
    const chance = probabilityOf((offset[row] as number) + dot(values, beta));
    const residual = (weight[row] as number) * ((outcome[row] as number) - chance);
    const place = (clusters ? (clusters[row] as number) : row) * q;
    for (let j = 0; j < q; j++)
      sums[place + j] = (sums[place + j] as number) + residual * (values[j] as number);
  }
  return sandwichCovariance(inverse, sums);
}

const testOf = (chiSquare: number, degreesOfFreedom: number): CoefficientTest =>
  Object.freeze({
    chiSquare: degreesOfFreedom === 0 ? 0 : chiSquare,
    degreesOfFreedom,
    p: degreesOfFreedom === 0 ? 1 : chiSquareTail(chiSquare, degreesOfFreedom),
  });

const unitDiagonal = (matrix: Matrix): number[][] =>
  matrix.map((row, i) =>
    row.map((value, j) => value / Math.sqrt((row[i] as number) * (matrix[j]?.[j] as number))),
  );

const pick = (row: readonly number[] | undefined, places: readonly number[]): number[] =>
  places.map((place) => row?.[place] as number);
