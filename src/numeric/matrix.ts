/** A symmetric matrix as rows; the functions here read both triangles as equal and change nothing. */
export type Matrix = readonly (readonly number[])[];

const MAX_SWEEPS = 60;

/**
 * Eigenvalues, ascending, and orthonormal eigenvectors of a symmetric matrix: `vectors[k]` belongs to `values[k]`.
 * Cyclic Jacobi rotations: accurate for the small matrices of model fits. A vector's largest element is positive.
 * @throws RangeError if the matrix is not square or has an element that is not finite.
 * @see Golub & Van Loan (2013), Matrix Computations, 4th ed., section 8.5.
 */
export function symmetricEigen(matrix: Matrix): { values: number[]; vectors: number[][] } {
  requireSquare(matrix);
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = matrix.map((_, i) => Float64Array.from(matrix, (_row, j) => (i === j ? 1 : 0))); // rows become vectors
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotated = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) if (rotate(a, v, p, q)) rotated = true;
    }
    if (!rotated) break;
  }
  const order = matrix.map((_, k) => k).sort((j, k) => at(a, j, j) - at(a, k, k));
  return {
    values: order.map((k) => at(a, k, k)),
    vectors: order.map((k) => withPositivePeak([...(v[k] ?? [])])),
  };
}

/** One Jacobi rotation that makes a[p][q] zero; false if it is negligible already. */
function rotate(a: Float64Array[], v: Float64Array[], p: number, q: number): boolean {
  const off = at(a, p, q);
  const app = at(a, p, p);
  const aqq = at(a, q, q);
  if (off === 0 || Math.abs(off) < 1e-17 * Math.sqrt(Math.abs(app)) * Math.sqrt(Math.abs(aqq))) return false;
  const theta = (aqq - app) / (2 * off);
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  const rowP = a[p] as Float64Array;
  const rowQ = a[q] as Float64Array;
  for (let k = 0; k < a.length; k++) {
    if (k === p || k === q) continue;
    const akp = rowP[k] as number;
    const akq = rowQ[k] as number;
    const row = a[k] as Float64Array;
    rowP[k] = row[p] = cosine * akp - sine * akq;
    rowQ[k] = row[q] = sine * akp + cosine * akq;
  }
  rowP[p] = app - tangent * off;
  rowQ[q] = aqq + tangent * off;
  rowP[q] = rowQ[p] = 0;
  const vp = v[p] as Float64Array;
  const vq = v[q] as Float64Array;
  for (let k = 0; k < vp.length; k++) {
    const x = vp[k] as number;
    const y = vq[k] as number;
    vp[k] = cosine * x - sine * y;
    vq[k] = sine * x + cosine * y;
  }
  return rowP[p] !== app || rowQ[q] !== aqq || Math.abs(sine) > 1e-17;
}

function withPositivePeak(vector: number[]): number[] {
  const peak = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return peak < 0 ? vector.map((value) => -value) : vector;
}

/**
 * Lower triangle L with L L' = the matrix, of a symmetric positive definite matrix; undefined if it is not positive definite
 * to working accuracy.
 * @throws RangeError if the matrix is not square or has an element that is not finite.
 */
export function choleskyFactor(matrix: Matrix): Float64Array[] | undefined {
  requireSquare(matrix);
  const n = matrix.length;
  const lower = matrix.map(() => new Float64Array(n));
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = at(matrix, i, j);
      for (let k = 0; k < j; k++) sum -= at(lower, i, k) * at(lower, j, k);
      if (i === j && !(sum > n * Number.EPSILON * at(matrix, j, j))) return undefined;
      (lower[i] as Float64Array)[j] = i === j ? Math.sqrt(sum) : sum / at(lower, j, j);
    }
  }
  return lower;
}

/**
 * Inverse of a symmetric positive definite matrix, by Cholesky's factorisation of the matrix scaled to a unit
 * diagonal; undefined if it is not positive definite to working accuracy.
 * @throws RangeError if the matrix is not square or has an element that is not finite.
 * @see Higham (2002), Accuracy and Stability of Numerical Algorithms, 2nd ed., chapters 10 and 14.
 */
export function invertSymmetric(matrix: Matrix): number[][] | undefined {
  requireSquare(matrix);
  const n = matrix.length;
  const scale = matrix.map((row, i) => Math.sqrt(row[i] as number));
  if (scale.some((value) => !(value > 0))) return undefined;
  const lower = choleskyFactor(
    matrix.map((row, i) => row.map((value, j) => value / (scale[i] as number) / (scale[j] as number))),
  );
  if (!lower) return undefined;
  const inverseLower = matrix.map(() => new Float64Array(n));
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= at(lower, i, k) * at(inverseLower, k, j);
      (inverseLower[i] as Float64Array)[j] = sum / at(lower, i, i);
    }
  }
  const inverse = matrix.map((row) => row.slice());
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += at(inverseLower, k, i) * at(inverseLower, k, j);
      const value = sum / (scale[i] as number) / (scale[j] as number);
      (inverse[i] as number[])[j] = (inverse[j] as number[])[i] = value;
    }
  }
  return inverse;
}

/**
 * Solution X of A X = B by elimination with row exchanges; undefined if A is singular to working accuracy.
 * @see Golub & Van Loan (2013), Matrix Computations, 4th ed., section 3.4.
 */
export function solve(left: Matrix, right: Matrix): number[][] | undefined {
  const a: Float64Array[] = left.map((row, place) => Float64Array.of(...row, ...(right[place] ?? [])));
  const n = a.length;
  const at = (row: number, column: number): number => a[row]?.[column] as number;
  for (let pivot = 0; pivot < n; pivot++) {
    let best = pivot;
    for (let row = pivot + 1; row < n; row++) {
      if (Math.abs(at(row, pivot)) > Math.abs(at(best, pivot))) best = row;
    }
    if (Math.abs(at(best, pivot)) < 1e-14) {
      return undefined;
    }
    [a[pivot], a[best]] = [a[best] as Float64Array, a[pivot] as Float64Array];
    const top = a[pivot] as Float64Array;
    for (const [place, row] of a.entries()) {
      if (place === pivot) continue;
      const factor = (row[pivot] as number) / (top[pivot] as number);
      if (factor !== 0)
        for (let column = pivot; column < row.length; column++)
          row[column] = (row[column] as number) - factor * (top[column] as number);
    }
  }
  return a.map((row, place) => Array.from(row.subarray(n), (value) => value / (row[place] as number)));
}

/** Sum of the products of the elements of `a` with those of `b`. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Rows and columns exchanged. */
export const transposed = (matrix: Matrix): number[][] =>
  (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] as number));

/** A B. */
export function product(a: Matrix, b: Matrix): number[][] {
  const columns = transposed(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
}

/** A M A': the covariance of A x where M is that of x. */
export const congruence = (a: Matrix, m: Matrix): number[][] => product(product(a, m), transposed(a));

/** x' M x. */
export const quadraticForm = (m: Matrix, x: ArrayLike<number>): number =>
  dot(
    m.map((row) => dot(row, x)),
    x,
  );

/**
 * Sandwich covariance B (sum of s s') B: B is the inverse information, `scores` holds the scores s of independent groups, one
 * after the other.
 * @see White (1982), Maximum Likelihood Estimation of Misspecified Models, Econometrica 50(1).
 */
export function sandwichCovariance(bread: Matrix, scores: Float64Array): number[][] {
  const meat = bread.map((row) => row.map(() => 0));
  for (let at = 0; at < scores.length; at += bread.length) {
    for (const [i, row] of meat.entries()) {
      for (let j = 0; j < row.length; j++)
        row[j] = (row[j] as number) + (scores[at + i] as number) * (scores[at + j] as number);
    }
  }
  return congruence(bread, meat);
}

/**
 * Condition number of a symmetric matrix in the 2-norm: the largest eigenvalue over the smallest, by size.
 * Infinity if it is singular.
 * @throws RangeError if the matrix is not square or has an element that is not finite.
 */
export function conditionNumber(matrix: Matrix): number {
  const sizes = symmetricEigen(matrix).values.map(Math.abs);
  return Math.max(...sizes) / Math.min(...sizes);
}

const at = (matrix: readonly ArrayLike<number>[], i: number, j: number): number =>
  (matrix[i] as ArrayLike<number>)[j] as number;

function requireSquare(matrix: Matrix): void {
  const n = matrix.length;
  for (const [i, row] of matrix.entries()) {
    if (row.length !== n)
      throw new RangeError(`matrix must be square, but row ${i} of ${n} has ${row.length} elements`);
    const bad = row.find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw new RangeError(`matrix elements must be finite, row ${i} has ${bad}`);
  }
  if (n === 0) throw new RangeError("matrix must have at least one row");
}
