import { invertSymmetric, type Matrix, symmetricEigen } from "./matrix.js";

const LOST = 1e-10; // eigenvalue of the scaled information that counts as none, beside the largest
const TAKES_PART = 0.3; // share of a unit vector from which a parameter counts as part of it

/** Eigenvalues and vectors of a matrix scaled to a diagonal of ones. */
function scaledEigen(matrix: Matrix): { values: number[]; vectors: number[][] } {
  const scale = matrix.map((row, i) => Math.sqrt(Math.abs(row[i] as number)) || 1);
  return symmetricEigen(
    matrix.map((row, i) => row.map((value, j) => value / (scale[i] as number) / (scale[j] as number))),
  );
}

/**
 * Inverse of the information about what it determines. `lost` lists the parameters it does not, `weakest` those of the direction
 * that it says least of.
 * @see Chiou & Walker (2007), Masking Identification of Discrete Choice Models under Simulation Methods, Journal of
 * Econometrics 141(2).
 */
export function invertDetermined(information: Matrix): {
  inverse: number[][];
  lost: number[];
  conditionNumber: number;
  weakest: number[];
} {
  const { values, vectors } = scaledEigen(information);
  const largest = values.at(-1) as number;
  const smallest = values[0] as number;
  const lostVectors = vectors.filter((_, k) => !((values[k] as number) > LOST * largest));
  const inSome = (of: readonly number[][]): number[] =>
    information.flatMap((_, a) =>
      of.some((vector) => Math.abs(vector[a] as number) >= TAKES_PART) ? [a] : [],
    );
  const lost = inSome(lostVectors);
  const weakest = inSome(vectors.slice(0, 1));
  const kept = information.flatMap((_, a) => (lost.includes(a) ? [] : [a]));
  const inverse = information.map((row) => row.map(() => 0));
  const small =
    kept.length === 0 ? [] : invertSymmetric(kept.map((a) => kept.map((b) => information[a]?.[b] as number)));
  if (!small)
    return { inverse, lost: information.map((_, a) => a), conditionNumber: 1 / Number.EPSILON, weakest };
  for (const [i, a] of kept.entries())
    for (const [j, b] of kept.entries()) (inverse[a] as number[])[b] = small[i]?.[j] as number;
  const conditionNumber =
    largest > 0 ? largest / Math.max(smallest, largest * Number.EPSILON) : 1 / Number.EPSILON;
  return { inverse, lost, conditionNumber, weakest };
}
