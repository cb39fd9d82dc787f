import { finiteColumn } from "./columns.js";
import { DataError } from "./errors.js";

/** Covariates by name, each with one number for each row (a dummy is 0 or 1). */
export type CovariateColumns = Readonly<Record<string, ArrayLike<number>>>;

/** Mean (or another centre), standard deviation around it, and how far values lie from each other and from it. */
export interface Spread {
  readonly centre: number;
  readonly scale: number;
  readonly range: number;
}

/**
 * Columns of all covariates in the order of their names.
 * @throws DataError naming the first row that is not a finite number, or another length than `size`.
 */
export const covariateColumns = (covariates: CovariateColumns, size: number): readonly Float64Array[] =>
  Object.entries(covariates).map(([name, values]) => finiteColumn(`covariate ${name}`, values, size));

/**
 * Spread of a covariate around its mean, unless another centre is given.
 * @throws DataError if the covariate does not vary.
 */
export function covariateSpread(name: string, column: Float64Array, around?: number): Spread {
  const first = column[0] as number;
  let low = first;
  let high = first;
  let sum = 0;
  for (const value of column) {
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value - first;
  }
  const centre = around ?? first + sum / column.length;
  let squares = 0;
  for (const value of column) squares += (value - centre) ** 2;
  const scale = Math.sqrt(squares / (column.length - 1));
  if (!(scale > 1e-13 * Math.abs(centre))) {
    throw new DataError(`covariate ${name} must vary, but is ${first} in every row: leave it out`);
  }
  return { centre, scale, range: Math.max(high, centre) - Math.min(low, centre) };
}

/**
 * Sum of covariates, less their centre (0 unless given), times their coefficients, for each of `size` rows.
 * @throws DataError if a covariate with a coefficient is missing, or is not a column of finite numbers.
 */
export function linearPredictor(
  coefficients: Readonly<Record<string, number>>,
  covariates: CovariateColumns,
  size: number,
  centre: Readonly<Record<string, number>> = {},
): Float64Array {
  const sum = new Float64Array(size);
  for (const [name, slope] of Object.entries(coefficients)) {
    const values = covariates[name];
    if (!values) {
      throw new DataError(`covariates must contain ${name}, got ${Object.keys(covariates).join(", ")}`);
    }
    const column = finiteColumn(`covariate ${name}`, values, size);
    const zero = centre[name] ?? 0;
    for (let row = 0; row < size; row++)
      sum[row] = (sum[row] as number) + slope * ((column[row] as number) - zero);
  }
  return sum;
}
