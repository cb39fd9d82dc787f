import { invertSymmetric, type Matrix, symmetricEigen } from "./matrix.js";
import {
  type Curvature,
  type Minimum,
  minimiseAlong,
  type Objective,
  type SearchLimits,
} from "./minimise.js";

const FLATTEST = 1e-8; // eigenvalues below this share of the largest one count as this much

/**
 * Local minimum of a smooth function whose Hessian is known, for up to some dozens of parameters: Newton's method with
 * the line search, the rule for having settled and the rescue of `minimise`. It takes few iterations, each with one call of
 * `hessian`, which gives the symmetric matrix of second derivatives at x as rows. Where the Hessian is not positive
 * definite, the step goes by the sizes of its eigenvalues, so that it leads downhill away from saddles and ridges.
 * @throws RangeError if the start is empty or not finite, or the Hessian has another size than x or an element that is
 * not finite where the function is.
 * @see Nocedal & Wright (2006), Numerical Optimization, 2nd ed., section 3.4 (Newton's method with Hessian modification).
 */
export function minimiseNewton(
  objective: Objective,
  hessian: (x: Float64Array) => Matrix,
  start: readonly number[],
  limits: SearchLimits = {},
): Minimum {
  return minimiseAlong(newton(hessian), objective, start, limits);
}

function newton(hessian: (x: Float64Array) => Matrix): Curvature {
  return {
    method: "newton",
    reset: () => false,
    direct(direction, gradient, x) {
      const matrix = hessian(x);
      if (matrix.length !== x.length) {
        throw new RangeError(`hessian must have ${x.length} rows, got ${matrix.length}`);
      }
      const inverse = invertSymmetric(matrix) ?? positiveInverse(matrix);
      for (const [i, row] of inverse.entries()) {
        let sum = 0;
        for (const [j, element] of row.entries()) sum -= element * (gradient[j] as number);
        direction[i] = sum;
      }
    },
    learn: () => undefined,
  };
}

/** Inverse after every eigenvalue has become its size; of the matrix scaled to diagonal elements of size 1. */
function positiveInverse(matrix: Matrix): number[][] {
  const scale = matrix.map((row, i) => Math.sqrt(Math.abs(row[i] as number)) || 1);
  const rescaled = matrix.map((row, i) =>
    row.map((element, j) => element / (scale[i] as number) / (scale[j] as number)),
  );
  const { values, vectors } = symmetricEigen(rescaled);
  const sizes = values.map(Math.abs);
  const floor = FLATTEST * Math.max(...sizes) || 1; // a Hessian of zeros leaves the gradient's direction
  return matrix.map((row, i) =>
    row.map((_, j) => {
      let sum = 0;
      for (const [k, vector] of vectors.entries()) {
        sum += ((vector[i] as number) * (vector[j] as number)) / Math.max(sizes[k] as number, floor);
      }
      return sum / (scale[i] as number) / (scale[j] as number);
    }),
  );
}
