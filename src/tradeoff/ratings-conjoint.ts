import { requireOneOf } from "../core/arguments.js";
import { DataError } from "../core/errors.js";
import { describe } from "../core/table.js";
import { choleskyFactor, dot, invertSymmetric } from "../numeric/matrix.js";
import { regularisedBeta } from "../numeric/special.js";
import type { AttributeColumns } from "./choice-data.js";
import { type AttributeLevels, codeRow, type PartWorths } from "./part-worths.js";

/** Rated or ranked profiles: one row for each profile a respondent judged, a respondent's rows next to each other. */
export interface RatingRows {
  readonly respondent: ArrayLike<string | number>;
  /** Higher is better; with scale "rank" 1 is the best and each rank stands once. */
  readonly rating: ArrayLike<number>;
}

/** Levels that everybody is taken to like in a known order. */
export interface MonotoneOrder {
  readonly attribute: AttributeLevels;
  /** "rising": each level is liked at least as much as the one before; "falling": at most as much. */
  readonly order: "rising" | "falling";
}

/** How ratings are read. */
export interface RatingsConjointOptions {
  /** "rating" unless given; ranks are turned round: the best of n profiles counts n. */
  readonly scale?: "rating" | "rank";
  /** Orders that part-worths of respondents must keep; the pooled fit is left free. None unless given. */
  readonly monotone?: readonly MonotoneOrder[];
}

/** Least squares over all judgements. */
export interface PooledRatings {
  /** Coefficients, the intercept first. */
  readonly coefficients: Readonly<Record<string, number>>;
  readonly standardErrors: Readonly<Record<string, number>>;
  /** Coefficient / standard error. */
  readonly t: Readonly<Record<string, number>>;
  /** Two-sided p values of t. */
  readonly p: Readonly<Record<string, number>>;
  /** Covariance of the coefficients, in their order. */
  readonly covariance: readonly (readonly number[])[];
  readonly r2: number;
  readonly adjustedR2: number;
  /** Standard error of the residuals. */
  readonly residualStandardError: number;
  readonly degreesOfFreedom: number;
}

/** How well the part-worths of a respondent describe the ratings. */
export interface RespondentRatings {
  readonly respondent: unknown;
  /** Profiles judged. */
  readonly profiles: number;
  readonly r2: number;
  /** Standard error of the residuals; none where there are as many coefficients as profiles. */
  readonly residualStandardError?: number;
  /** Whether an order had to be imposed. */
  readonly constrained: boolean;
}

/** Part-worths from ratings or ranks. */
export interface RatingsConjointFit {
  readonly model: "ratings conjoint";
  /** Coefficients of every respondent who can be estimated, named "intercept" and as the columns. */
  readonly partWorths: PartWorths;
  /** One element for each of these respondents. */
  readonly respondents: readonly RespondentRatings[];
  /** All judgements in one regression: errors as if they were independent of each other. */
  readonly pooled: PooledRatings;
  /** Respondents without part-worths, and why. */
  readonly leftOut: readonly { readonly respondent: unknown; readonly reason: string }[];
  /** Judgements, all respondents. */
  readonly observations: number;
  readonly warnings: readonly string[];
}

const INTERCEPT = "intercept";

/**
 * Part-worths of every respondent from ratings or ranks of profiles by least squares, and of all pooled. Levels in a known
 * order are kept in it by least squares under inequalities: a respondent whose own estimates keep it has them unchanged.
 * @param attributes Coded attributes, a value for each row, as in `categoricalAttribute` or `linearAttribute`.
 * @throws DataError if rows are bad (row and value named), columns are linear combinations of each other, or no respondent
 * can be estimated; RangeError if scale or an order is unknown.
 * @see Green & Srinivasan (1978), Conjoint Analysis in Consumer Research, J. Consumer Research 5(2); Lawson & Hanson (1974),
 * Solving Least Squares Problems, chapter 23, for the inequalities.
 */
export function fitRatingsConjoint(
  rows: RatingRows,
  attributes: AttributeColumns,
  { scale = "rating", monotone = [] }: RatingsConjointOptions = {},
): RatingsConjointFit {
  requireOneOf("scale", scale, ["rating", "rank"]);
  for (const { attribute, order } of monotone)
    requireOneOf(`order of ${attribute.attribute}`, order, ["rising", "falling"]);
  const data = ratingData(rows, attributes, scale);
  const { names, x, y, blocks } = data;
  const constraints = monotone.flatMap((order) => differences(names, order));
  const pooled = pooledRatings(names, x, y);
  const leftOut: { respondent: unknown; reason: string }[] = [];
  const kept: { values: Float64Array; report: RespondentRatings }[] = [];
  for (const { respondent, from, to } of blocks) {
    const own = estimate(x.slice(from, to), y.subarray(from, to));
    if (typeof own === "string") {
      leftOut.push({ respondent, reason: own });
      continue;
    }
    kept.push(respondentFit(respondent, own, x.slice(from, to), y.subarray(from, to), constraints));
  }
  if (kept.length === 0) {
    throw new DataError(
      `no respondent can be estimated alone; the first, ${describe(leftOut[0]?.respondent)}: ${leftOut[0]?.reason}`,
    );
  }
  const bound = kept.filter(({ report }) => report.constrained).length;
  return Object.freeze({
    model: "ratings conjoint",
    partWorths: Object.freeze({
      names,
      respondents: kept.map(({ report }) => report.respondent),
      values: kept.map(({ values }) => values),
    }),
    respondents: kept.map(({ report }) => report),
    pooled,
    leftOut,
    observations: y.length,
    warnings: [
      ...(leftOut.length > 0
        ? [`${leftOut.length} of ${blocks.length} respondents have no part-worths: see leftOut`]
        : []),
      ...(bound > 0
        ? [`${bound} of ${kept.length} respondents had an order imposed on their part-worths`]
        : []),
    ],
  });
}

interface RatingData {
  readonly names: readonly string[];
  /** Covariates of each row, the intercept first. */
  readonly x: readonly Float64Array[];
  readonly y: Float64Array;
  readonly blocks: readonly { readonly respondent: unknown; readonly from: number; readonly to: number }[];
}

function ratingData(
  { respondent, rating }: RatingRows,
  attributes: AttributeColumns,
  scale: "rating" | "rank",
): RatingData {
  const n = rating.length;
  if (n === 0) throw new DataError("ratings must have at least one row, got none");
  const columns = Object.entries(attributes);
  for (const [name, column] of [["respondent", respondent] as const, ...columns]) {
    if (column.length !== n)
      throw new DataError(`${name} must have one value for each of the ${n} rows, got ${column.length}`);
  }
  for (const [name, column] of [["rating", rating] as const, ...columns]) {
    for (let row = 0; row < n; row++) {
      const value: unknown = column[row];
      if (typeof value !== "number" || !Number.isFinite(value))
        throw new DataError(`${name} in row ${row + 1} must be a finite number, got ${describe(value)}`);
    }
  }
  const blocks: { respondent: unknown; from: number; to: number }[] = [];
  const seen = new Set<unknown>();
  for (let from = 0; from < n; ) {
    const who = respondent[from] as string | number;
    if (seen.has(who))
      throw new DataError(
        `rows of respondent ${describe(who)} must stand together, but it comes again in row ${from + 1}`,
      );
    seen.add(who);
    let to = from + 1;
    while (to < n && respondent[to] === who) to++;
    blocks.push({ respondent: who, from, to });
    from = to;
  }
  const y = Float64Array.from(rating);
  if (scale === "rank") for (const { from, to } of blocks) turnRanks(y, from, to);
  return {
    names: [INTERCEPT, ...columns.map(([name]) => name)],
    x: Array.from(y, (_, row) => Float64Array.of(1, ...columns.map(([, column]) => column[row] as number))),
    y,
    blocks,
  };
}

/** Ranks 1 to n as scores n to 1. */
function turnRanks(y: Float64Array, from: number, to: number): void {
  const count = to - from;
  const seen = new Set<number>();
  for (let row = from; row < to; row++) {
    const rank = y[row] as number;
    if (!(Number.isInteger(rank) && rank >= 1 && rank <= count) || seen.has(rank))
      throw new DataError(
        `rating in row ${row + 1} must be a rank from 1 to ${count} that the respondent gives once, got ${rank}`,
      );
    seen.add(rank);
    y[row] = count + 1 - rank;
  }
}

interface LeastSquares {
  readonly beta: Float64Array;
  /** Inverse of X'X. */
  readonly inverse: readonly (readonly number[])[];
}

/** Least squares, or why there is none. */
function estimate(x: readonly Float64Array[], y: Float64Array): LeastSquares | string {
  const p = x[0]?.length ?? 0;
  if (x.length < p) return `${x.length} profiles are too few for ${p} coefficients`;
  if (y.every((value) => value === y[0])) return "all profiles are rated alike";
  const inverse = invertSymmetric(crossProducts(x, p));
  if (!inverse) return "the profiles judged do not tell all coefficients apart";
  const xy = new Float64Array(p);
  for (const [row, values] of x.entries())
    for (let j = 0; j < p; j++) xy[j] = (xy[j] as number) + (values[j] as number) * (y[row] as number);
  const first = times(inverse, xy);
  // One step of refinement removes the rounding of the normal equations.
  const left = new Float64Array(p);
  for (const [row, values] of x.entries()) {
    const residual = (y[row] as number) - dot(values, first);
    for (let j = 0; j < p; j++) left[j] = (left[j] as number) + (values[j] as number) * residual;
  }
  const step = times(inverse, left);
  return { beta: first.map((value, j) => value + (step[j] as number)), inverse };
}

const crossProducts = (x: readonly Float64Array[], p: number): number[][] =>
  Array.from({ length: p }, (_, i) =>
    Array.from({ length: p }, (_unused, j) =>
      x.reduce((sum, row) => sum + (row[i] as number) * (row[j] as number), 0),
    ),
  );

const times = (matrix: readonly (readonly number[])[], vector: ArrayLike<number>): Float64Array =>
  Float64Array.from(matrix, (row) => dot(row, vector));

/** Sum of squared residuals, and of squared deviations from the mean. */
function sumsOfSquares(
  x: readonly Float64Array[],
  y: Float64Array,
  beta: Float64Array,
): { residual: number; total: number } {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  return {
    residual: x.reduce((sum, row, i) => sum + ((y[i] as number) - dot(row, beta)) ** 2, 0),
    total: y.reduce((sum, value) => sum + (value - mean) ** 2, 0),
  };
}

function pooledRatings(names: readonly string[], x: readonly Float64Array[], y: Float64Array): PooledRatings {
  const p = names.length;
  const crossed = crossProducts(x, p);
  const dependent = names.findIndex((_, j) => !isDefinite(crossed, j + 1));
  if (dependent !== -1) {
    throw new DataError(
      `column ${describe(names[dependent])} must not be a linear combination of ${names.slice(0, dependent).join(", ")}`,
    );
  }
  const fit = estimate(x, y);
  const degreesOfFreedom = y.length - p;
  if (typeof fit === "string") throw new DataError(`ratings: ${fit}`);
  if (degreesOfFreedom === 0)
    throw new DataError(`ratings must be more than the ${p} coefficients, got ${p}`);
  const { residual, total } = sumsOfSquares(x, y, fit.beta);
  const variance = residual / degreesOfFreedom;
  const covariance = fit.inverse.map((row) => row.map((value) => value * variance));
  const errors = covariance.map((row, j) => Math.sqrt(row[j] as number));
  const t = errors.map((error, j) => (fit.beta[j] as number) / error);
  const byName = (values: ArrayLike<number>): Readonly<Record<string, number>> =>
    Object.freeze(Object.fromEntries(names.map((name, j) => [name, values[j] as number])));
  return Object.freeze({
    coefficients: byName(fit.beta),
    standardErrors: byName(errors),
    t: byName(t),
    p: byName(t.map((value) => studentTwoSidedP(value, degreesOfFreedom))),
    covariance,
    r2: 1 - residual / total,
    adjustedR2: 1 - residual / degreesOfFreedom / (total / (y.length - 1)),
    residualStandardError: Math.sqrt(variance),
    degreesOfFreedom,
  });
}

/** Whether the first `size` columns are linearly independent. */
function isDefinite(crossed: readonly (readonly number[])[], size: number): boolean {
  const scale = crossed.slice(0, size).map((row, j) => Math.sqrt(row[j] as number));
  if (scale.some((value) => value === 0)) return false;
  return (
    choleskyFactor(
      crossed
        .slice(0, size)
        .map((row, i) =>
          row.slice(0, size).map((value, j) => value / ((scale[i] as number) * (scale[j] as number))),
        ),
    ) !== undefined
  );
}

/** Chance of a Student t further from 0. @see Abramowitz & Stegun (1964), equation 26.7.1. */
const studentTwoSidedP = (t: number, degreesOfFreedom: number): number =>
  regularisedBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5);

function respondentFit(
  respondent: unknown,
  { beta, inverse }: LeastSquares,
  x: readonly Float64Array[],
  y: Float64Array,
  constraints: readonly Float64Array[],
): { values: Float64Array; report: RespondentRatings } {
  const values = keepOrders(beta, inverse, constraints);
  const { residual, total } = sumsOfSquares(x, y, values);
  const left = y.length - values.length;
  return {
    values,
    report: Object.freeze({
      respondent,
      profiles: y.length,
      r2: 1 - residual / total,
      ...(left > 0 ? { residualStandardError: Math.sqrt(residual / left) } : {}),
      constrained: values !== beta,
    }),
  };
}

/** Utility of each level less that of the level it must not fall behind, as a row of codes. */
function differences(names: readonly string[], { attribute, order }: MonotoneOrder): Float64Array[] {
  const codes = attribute.levels.map(({ code }) =>
    codeRow(names, code, `monotone attribute ${attribute.attribute}`),
  );
  const sign = order === "rising" ? 1 : -1;
  return codes
    .slice(1)
    .map((code, k) => code.map((value, j) => sign * (value - ((codes[k] as Float64Array)[j] as number))));
}

const ROUNDING = 1e-12;

/**
 * The coefficients with the least squared error among those under which every constraint row times the coefficients is at
 * least 0: beta + (X'X)^-1 A' m, with multipliers m from 0 up that solve the dual problem. The same array comes back where
 * nothing has to change.
 */
function keepOrders(
  beta: Float64Array,
  inverse: readonly (readonly number[])[],
  constraints: readonly Float64Array[],
): Float64Array {
  const scale = Math.max(...beta.map(Math.abs));
  const slack = constraints.map((row) => dot(row, beta));
  if (slack.every((value) => value >= -ROUNDING * scale)) return beta;
  const spread = constraints.map((row) => times(inverse, row));
  const multipliers = nonNegativeMinimum(
    spread.map((row) => constraints.map((other) => dot(row, other))),
    slack.map((value) => -value),
  );
  return beta.map((value, j) =>
    multipliers.reduce(
      (sum, multiplier, k) => sum + multiplier * ((spread[k] as Float64Array)[j] as number),
      value,
    ),
  );
}

/**
 * The vector from 0 up that minimises x'Mx / 2 - c'x, M positive semidefinite: the active set method of non-negative least
 * squares. Elements enter one by one where the slope falls, and leave where they would go below 0.
 * @see Lawson & Hanson (1974), Solving Least Squares Problems, chapter 23; Bro & de Jong (1997), A Fast Non-negativity-
 * constrained Least Squares Algorithm, J. Chemometrics 11(5), for the form in M and c.
 */
function nonNegativeMinimum(matrix: readonly (readonly number[])[], c: readonly number[]): number[] {
  let x = c.map(() => 0);
  let free: number[] = [];
  const tolerance = ROUNDING * Math.max(...c.map(Math.abs));
  const barred = new Set<number>(); // follow from free ones
  for (;;) {
    const descent = c.map((value, i) => value - dot(matrix[i] as number[], x));
    const entering = descent.reduce(
      (best, value, i) =>
        !free.includes(i) && !barred.has(i) && value > (best === -1 ? tolerance : (descent[best] as number))
          ? i
          : best,
      -1,
    );
    if (entering === -1) return x;
    free.push(entering);
    for (;;) {
      const inverse = invertSymmetric(free.map((i) => free.map((j) => matrix[i]?.[j] as number)));
      const solution = times(
        inverse ?? [],
        free.map((i) => c[i] as number),
      );
      if (
        !inverse ||
        ((x[entering] as number) === 0 && !((solution[free.indexOf(entering)] as number) > 0))
      ) {
        barred.add(entering);
        free = free.filter((i) => i !== entering);
        break;
      }
      const steps = free.map((i, k) => {
        const [from, to] = [x[i] as number, solution[k] as number];
        return to > 0 ? 1 : from / (from - to);
      });
      const step = Math.min(...steps);
      x = x.map((value, i) => {
        const k = free.indexOf(i);
        return k === -1 ? 0 : value + step * ((solution[k] as number) - value);
      });
      if (step === 1) break;
      free = free.filter((_, k) => (steps[k] as number) > step);
      barred.clear();
      x = x.map((value, i) => (free.includes(i) ? value : 0));
    }
  }
}
