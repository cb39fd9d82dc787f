import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  conditionNumber,
  invertSymmetric,
  type Matrix,
  solve,
  symmetricEigen,
} from "../../src/numeric/matrix.js";

const element = (matrix: Matrix, i: number, j: number): number => matrix[i]?.[j] ?? Number.NaN;
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) =>
    (b[0] ?? []).map((_, j) => row.reduce((sum, value, k) => sum + value * element(b, k, j), 0)),
  );
const transposed = (a: Matrix): number[][] =>
  (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? Number.NaN));
const largest = (a: Matrix): number => Math.max(...a.flat().map(Math.abs));
const difference = (a: Matrix, b: Matrix): number =>
  largest(a.map((row, i) => row.map((value, j) => value - element(b, i, j))));
const identity = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));

/** Square matrices of 1 to 6 rows with elements from -10 to 10. */
const square = fc.integer({ min: 1, max: 6 }).chain((n) =>
  fc.array(fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: n, maxLength: n }), {
    minLength: n,
    maxLength: n,
  }),
);
const symmetric = square.map((a) => a.map((row, i) => row.map((value, j) => (value + element(a, j, i)) / 2)));
/** A A' + I: positive definite. */
const definite = square.map((a) =>
  product(a, transposed(a)).map((row, i) => row.map((v, j) => (i === j ? v + 1 : v))),
);
const hilbert = (n: number): number[][] => identity(n).map((row, i) => row.map((_, j) => 1 / (i + j + 1)));

describe("symmetricEigen", () => {
  it("knows a small case", () => {
    const { values, vectors } = symmetricEigen([
      [2, 1],
      [1, 2],
    ]);
    expect(difference([values], [[1, 3]])).toBeLessThan(1e-15);
    const half = Math.SQRT1_2;
    expect(difference([vectors[1] ?? []], [[half, half]])).toBeLessThan(1e-15);
    expect(Math.abs(element(vectors, 0, 0) + element(vectors, 0, 1))).toBeLessThan(1e-15);
  });

  it("finds ascending values and orthonormal vectors that rebuild the matrix", () => {
    fc.assert(
      fc.property(symmetric, (a) => {
        const { values, vectors } = symmetricEigen(a);
        expect(values).toEqual([...values].sort((x, y) => x - y));
        expect(difference(product(vectors, transposed(vectors)), identity(a.length))).toBeLessThan(1e-14);
        const scaled = vectors.map((vector, k) => vector.map((v) => v * (values[k] ?? Number.NaN)));
        expect(difference(product(transposed(vectors), scaled), a)).toBeLessThanOrEqual(
          3e-15 * a.length * largest(a),
        );
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("is accurate for small eigenvalues of a graded matrix", () => {
    const { values } = symmetricEigen([
      [1e10, 1e4, 1],
      [1e4, 1, 1e-3],
      [1, 1e-3, 1e-8],
    ]);
    // trace, and determinant by cofactors: 1e10 (1e-8 - 1e-6) - 1e4 (1e-4 - 1e-3) + (10 - 1)
    const determinant = 1e10 * (1e-8 - 1e-6) - 1e4 * (1e-4 - 1e-3) + (10 - 1);
    expect(values.reduce((p, v) => p * v, 1) / determinant).toBeCloseTo(1, 9);
  });

  it("refuses what is not a square of finite numbers", () => {
    expect(() => symmetricEigen([[1, 2]])).toThrow(
      new RangeError("matrix must be square, but row 0 of 1 has 2 elements"),
    );
    expect(() => symmetricEigen([[Number.NaN]])).toThrow(
      new RangeError("matrix elements must be finite, row 0 has NaN"),
    );
    expect(() => symmetricEigen([])).toThrow(new RangeError("matrix must have at least one row"));
  });
});

describe("invertSymmetric", () => {
  it("knows the inverse of Hilbert's matrix, whole numbers all", () => {
    const inverse = invertSymmetric(hilbert(3)) ?? [];
    expect(
      difference(inverse, [
        [9, -36, 30],
        [-36, 192, -180],
        [30, -180, 180],
      ]),
    ).toBeLessThan(1e-11);
  });

  it("gives a symmetric inverse", () => {
    fc.assert(
      fc.property(definite, (a) => {
        const inverse = invertSymmetric(a) ?? [];
        expect(inverse).toEqual(transposed(inverse));
        expect(difference(product(a, inverse), identity(a.length))).toBeLessThan(
          1e-15 * a.length * conditionNumber(a),
        );
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("does not depend on the units of the parameters", () => {
    const inverse =
      invertSymmetric([
        [4e20, 1e10],
        [1e10, 1],
      ]) ?? []; // units apart by 1e10: determinant 3e20
    expect(
      difference([[element(inverse, 0, 0) * 3e20, element(inverse, 1, 1) * 0.75]], [[1, 1]]),
    ).toBeLessThan(1e-15);
  });

  it("gives undefined for what is not positive definite", () => {
    expect(
      invertSymmetric([
        [1, 1],
        [1, 1],
      ]),
    ).toBeUndefined();
    expect(
      invertSymmetric([
        [1, 2],
        [2, 1],
      ]),
    ).toBeUndefined();
    expect(invertSymmetric([[0]])).toBeUndefined();
    expect(
      invertSymmetric([
        [-1, 0],
        [0, 1],
      ]),
    ).toBeUndefined();
  });
});

describe("conditionNumber", () => {
  it("knows Hilbert's matrices and singular ones", () => {
    expect(conditionNumber(hilbert(3)) / 524.0567775860644).toBeCloseTo(1, 12); // Higham (2002), table 28.1: 5.24e2
    expect(conditionNumber(hilbert(5)) / 476607.25).toBeCloseTo(1, 7);
    expect(
      conditionNumber([
        [-2, 0],
        [0, 1],
      ]),
    ).toBe(2);
    expect(
      conditionNumber([
        [1, 0],
        [0, 0],
      ]),
    ).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("solve", () => {
  it("gives back what the matrix was multiplied with, row exchanges included", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }), {
          minLength: 4,
          maxLength: 4,
        }),
        (rows) => {
          const left = rows.map((row, i) => row.map((value, j) => value + (j === 3 - i ? 5 : 0))); // a zero diagonal is fine
          const x = [[1], [-2], [3], [0.5]];
          expect(difference(solve(left, product(left, x)) ?? [], x)).toBeLessThan(1e-12);
        },
      ),
    );
  });

  it("is undefined for a singular matrix", () => {
    expect(
      solve(
        [
          [1, 2],
          [2, 4],
        ],
        [[1], [2]],
      ),
    ).toBeUndefined();
  });
});
