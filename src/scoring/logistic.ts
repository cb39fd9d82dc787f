import { ConvergenceError, DataError } from "../core/errors.js";
import { compareIds, describe } from "../core/table.js";
import { conditionNumber, invertSymmetric, type Matrix } from "../numeric/matrix.js";
import { chiSquareTail, twoSidedP } from "../numeric/tail-probability.js";

/** Covariates by name, one number for each row. */
export type Covariates = Readonly<Record<string, ArrayLike<number>>>;

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
const MAX_ITERATIONS = 30;
const SETTLED = 1e-14; // Newton decrement: the step is 1e-7 standard errors long
const VANISHED = 1e-8; // of the information at the start: the likelihood has gone flat
const MOVING = 0.01; // change of the log odds over a covariate's range in the last step
const DEPENDENT = 1e-10; // share of a column's information that the columns before it leave over
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

/** Log-likelihood of the first columns of a design, its slope and minus its curvature. */
interface Likelihood {
  readonly logLikelihood: number;
  readonly score: Float64Array;
  readonly information: readonly (readonly number[])[];
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
  covariates: Covariates,
  options: LogisticOptions = {},
): LogisticFit {
  const { penalty = 0, cluster, robust = cluster !== undefined } = options;
  if (!(penalty >= 0 && Number.isFinite(penalty))) {
    throw new RangeError(`penalty must be a finite number from 0 up, got ${penalty}`);
  }
  const design = logisticDesign(outcomes, covariates, options);
  const { names, weight, outcome } = design;
  const observations = weight.reduce((sum, value) => sum + value, 0);
  const free = design.intercept ? 1 : 0;
  const ridge = names.map((_, j) => (j < free ? 0 : penalty * observations));
  const restricted = maximise(design, new Float64Array(free), ridge);
  const begin = new Float64Array(names.length);
  begin.set(restricted.beta);
  const start = likelihoodAt(design, begin);
  if (penalty === 0) requireIndependent(names, start.information);
  const optimum = maximise(design, begin, ridge, start);
  const covariance = robust
    ? sandwich(design, optimum.beta, optimum.inverse, cluster && clusterCodes(cluster, design.size))
    : optimum.inverse;
  const events = weight.reduce((sum, value, row) => sum + value * (outcome[row] as number), 0);
  const condition = names.length === 0 ? 1 : conditionNumber(unitDiagonal(optimum.information));
  const weak = condition > WEAK_CONDITION;
  const gain = 2 * (optimum.logLikelihood - restricted.logLikelihood);
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
    logLikelihood: optimum.logLikelihood,
    nullLogLikelihood: restricted.logLikelihood,
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
  covariates: Covariates,
  options: Pick<LogisticOptions, "offset"> = {},
): Float64Array {
  const names = Object.keys(fit.parameters).filter((name) => name !== INTERCEPT);
  const size =
    options.offset?.length ?? covariates[names[0] ?? Object.keys(covariates)[0] ?? ""]?.length ?? 0;
  const logOdds = new Float64Array(size).fill(fit.parameters[INTERCEPT] ?? 0);
  const add = (name: string, values: ArrayLike<number>, slope: number): void => {
    const column = finiteColumn(name, values, size);
    for (let row = 0; row < size; row++)
      logOdds[row] = (logOdds[row] as number) + slope * (column[row] as number);
  };
  if (options.offset) add("offset", options.offset, 1);
  for (const name of names) {
    const given = covariates[name];
    if (!given)
      throw new DataError(`covariates must contain ${name}, got ${Object.keys(covariates).join(", ")}`);
    add(`covariate ${name}`, given, fit.parameters[name] as number);
  }
  return logOdds.map(probabilityOf);
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
  const { codes, distinct } = labelCodes(name, labels);
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
 * Finite numbers of a column with one for each row, all accepted by a condition.
 * @throws DataError naming the first row that is not, or another length.
 */
export function finiteColumn(
  name: string,
  values: ArrayLike<number>,
  size: number,
  accepts: (value: number) => boolean = () => true,
  allowed = "a finite number",
): Float64Array {
  requireLength(name, values, size);
  const column = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    const value: unknown = values[row];
    if (typeof value !== "number" || !Number.isFinite(value) || !accepts(value)) {
      throw new DataError(`${name} in row ${row + 1} must be ${allowed}, got ${describe(value)}`);
    }
    column[row] = value;
  }
  return column;
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

function requireLength(name: string, values: ArrayLike<unknown>, size: number): void {
  if (values.length !== size) {
    throw new DataError(`${name} must have one value for each of the ${size} rows, got ${values.length}`);
  }
}

/** Distinct labels in order, and the place of each row's label among them. */
function labelCodes(
  name: string,
  labels: ArrayLike<string | number>,
): { readonly codes: Uint32Array; readonly distinct: readonly (string | number)[] } {
  const codeOf = new Map<string | number, number>();
  for (let row = 0; row < labels.length; row++) {
    const label: unknown = labels[row];
    if ((typeof label !== "string" && typeof label !== "number") || label === "" || Number.isNaN(label)) {
      throw new DataError(`${name} in row ${row + 1} must be a label, got ${describe(label)}`);
    }
    codeOf.set(label, 0);
  }
  const distinct = [...codeOf.keys()].sort(compareIds);
  for (const [code, label] of distinct.entries()) codeOf.set(label, code);
  return {
    codes: Uint32Array.from(labels as ArrayLike<never>, (label) => codeOf.get(label) as number),
    distinct,
  };
}

function clusterCodes(cluster: ArrayLike<string | number>, size: number): Uint32Array {
  requireLength("cluster", cluster, size);
  return labelCodes("cluster", cluster).codes;
}

function logisticDesign(
  outcomes: ArrayLike<number>,
  covariates: Covariates,
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
  const columns = given.map((name) =>
    finiteColumn(`covariate ${name}`, covariates[name] as ArrayLike<number>, size),
  );
  const spreads = columns.map((column, j) => spreadOf(given[j] as string, column, intercept));
  const whole = intercept ? [{ centre: 0, scale: 1, range: 1 }, ...spreads] : spreads;
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
    weight: weights
      ? finiteColumn("weight", weights, size, (value) => value > 0, "a finite number above 0")
      : new Float64Array(size).fill(1),
    offset: offset ? finiteColumn("offset", offset, size) : new Float64Array(size),
    x,
    centre: whole.map(({ centre }) => centre),
    scale: whole.map(({ scale }) => scale),
    range: whole.map(({ range }) => range),
    intercept,
  };
}

/** Where a covariate lies and how far it spreads: around its mean, or around 0 where no intercept takes the mean up. */
function spreadOf(
  name: string,
  column: Float64Array,
  intercept: boolean,
): { readonly centre: number; readonly scale: number; readonly range: number } {
  const first = column[0] as number;
  let low = first;
  let high = first;
  let sum = 0;
  for (const value of column) {
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value - first;
  }
  const centre = intercept ? first + sum / column.length : 0;
  let squares = 0;
  for (const value of column) squares += (value - centre) ** 2;
  const scale = Math.sqrt(squares / (column.length - 1));
  if (!(scale > 1e-13 * Math.abs(centre))) {
    throw new DataError(`covariate ${name} must vary, but is ${first} in every row: leave it out`);
  }
  return { centre, scale, range: intercept ? high - low : Math.max(Math.abs(low), Math.abs(high)) };
}

/** Likelihood of the first columns of the design, as many as there are coefficients. */
function likelihoodAt({ names, size, outcome, weight, offset, x }: Design, beta: Float64Array): Likelihood {
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

interface Optimum extends Likelihood {
  readonly beta: Float64Array;
  /** Of the penalised information. */
  readonly inverse: readonly (readonly number[])[];
  readonly iterations: number;
}

/** Newton's method from given coefficients; where `start` is their likelihood, one that has gone flat since is an error. */
function maximise(
  design: Design,
  begin: Float64Array,
  ridge: readonly number[],
  start?: Likelihood,
): Optimum {
  const { names } = design;
  let beta = begin;
  let state = start ?? likelihoodAt(design, beta);
  for (let iteration = 0; ; iteration++) {
    const information = state.information.map((row, i) =>
      row.map((value, j) => (i === j ? value + (ridge[i] as number) : value)),
    );
    const inverse = information.length === 0 ? [] : invertSymmetric(information);
    if (!inverse) throw separation(moving(design, beta));
    const slope = state.score.map((value, j) => value - (ridge[j] as number) * (beta[j] as number));
    const step = Float64Array.from(inverse, (row) => dot(row, slope));
    if (dot(step, slope) < SETTLED) {
      const flat = names.filter(
        (_, j) => start && (information[j]?.[j] as number) < VANISHED * (start.information[j]?.[j] as number),
      );
      if (flat.length > 0) throw separation(flat);
      // The last step costs no further pass over the rows.
      return { ...state, beta: beta.map((x, j) => x + (step[j] as number)), inverse, iterations: iteration };
    }
    if (iteration === MAX_ITERATIONS) throw separation(moving(design, step));
    [beta, state] = improved(design, ridge, beta, state, step);
  }
}

/** The Newton step, halved until the penalised likelihood does not fall. */
function improved(
  design: Design,
  ridge: readonly number[],
  beta: Float64Array,
  state: Likelihood,
  step: Float64Array,
): [Float64Array, Likelihood] {
  const penalised = (at: Likelihood, x: Float64Array): number =>
    at.logLikelihood - x.reduce((sum, value, j) => sum + (ridge[j] as number) * value * value, 0) / 2;
  const value = penalised(state, beta);
  for (let factor = 1; ; factor /= 2) {
    const candidate = beta.map((x, j) => x + factor * (step[j] as number));
    const next = likelihoodAt(design, candidate);
    const rises = penalised(next, candidate) >= value - 1e-12 * Math.abs(value);
    if (rises || factor < 1e-10) return [candidate, next];
  }
}

/** Regresses each column on those before it, by the information at the start: one that they give is named. */
function requireIndependent(names: readonly string[], information: Matrix): void {
  for (const [j, name] of names.entries()) {
    const row = information[j] as readonly number[];
    const before = row.slice(0, j);
    const inverse = j === 0 ? [] : invertSymmetric(information.slice(0, j).map((other) => other.slice(0, j)));
    const slopes = (inverse ?? []).map((line) => dot(line, before));
    const own = row[j] as number;
    if (own - dot(slopes, before) > DEPENDENT * own) continue;
    const sources = names.filter((_, i) => Math.abs(slopes[i] ?? 0) > 1e-4);
    throw new DataError(
      `logistic: covariate ${name} must not be a linear combination of ${sources.join(", ")}: leave one of them out, or set a penalty`,
    );
  }
}

/** Covariates that still move (or have run far) in scaled coefficients. */
function moving({ names, range, scale }: Design, movement: Float64Array): readonly string[] {
  const found = names.filter((name, j) => {
    const reach = Math.abs(movement[j] ?? 0) * ((range[j] as number) / (scale[j] as number));
    return name !== INTERCEPT && reach > MOVING;
  });
  return found.length > 0 ? found : names;
}

const separation = (names: readonly string[]): ConvergenceError =>
  new ConvergenceError(
    `logistic: the coefficient of ${names.join(", ")} has no finite maximum, the likelihood rises for ever: ` +
      "some value of it goes with one outcome only. Merge levels, leave it out, or set a penalty such as 0.01",
  );

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
  const covariance = product(product(back, scaled), transposed(back));
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
  const meat = inverse.map((row) => row.map(() => 0));
  for (let at = 0; at < sums.length; at += q) {
    for (const [i, row] of meat.entries()) {
      for (let j = 0; j < q; j++)
        row[j] = (row[j] as number) + (sums[at + i] as number) * (sums[at + j] as number);
    }
  }
  return product(product(inverse, meat), inverse);
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

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

const pick = (row: readonly number[] | undefined, places: readonly number[]): number[] =>
  places.map((place) => row?.[place] as number);

const quadraticForm = (matrix: Matrix, x: ArrayLike<number>): number =>
  dot(
    matrix.map((row) => dot(row, x)),
    x,
  );

const transposed = (matrix: Matrix): number[][] =>
  matrix.map((_, i) => matrix.map((row) => row[i] as number));

const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => row.map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] as number), 0)));
