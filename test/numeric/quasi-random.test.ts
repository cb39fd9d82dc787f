import { describe, expect, it } from "vitest";
import {
  haltonPoints,
  SOBOL_DIMENSIONS,
  scrambledSobol,
  sobolPoints,
} from "../../src/numeric/quasi-random.js";
import { randomSource } from "../../src/numeric/random.js";

const row = (columns: readonly Float64Array[], point: number): number[] =>
  columns.map((column) => column[point] as number);

/** How many numbers of a column fall in each of so many equal parts of [0, 1). */
function partCounts(column: Float64Array, parts: number): number[] {
  const counts = Array.from({ length: parts }, () => 0);
  for (const x of column) counts[Math.floor(x * parts)] = (counts[Math.floor(x * parts)] as number) + 1;
  return counts;
}

describe("Sobol's sequence", () => {
  it("begins with the published points", () => {
    // The first ten points in three dimensions that the authors of the direction numbers print with their program.
    const published = [
      [0, 0, 0],
      [0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25],
      [0.25, 0.75, 0.75],
      [0.375, 0.375, 0.625],
      [0.875, 0.875, 0.125],
      [0.625, 0.125, 0.875],
      [0.125, 0.625, 0.375],
      [0.1875, 0.3125, 0.9375],
      [0.6875, 0.8125, 0.4375],
    ];
    const points = sobolPoints(10, 3);
    expect(published.map((_, point) => row(points, point))).toEqual(published);
  });

  it("has one point in each part of each axis, in all dimensions", () => {
    for (const column of sobolPoints(256, SOBOL_DIMENSIONS)) {
      expect(new Set(Array.from(column, (x) => Math.floor(256 * x))).size).toBe(256);
    }
  });

  it("has one of its first 16 points in every square of the first two dimensions", () => {
    const [x, y] = sobolPoints(16, 2) as [Float64Array, Float64Array];
    for (const [across, up] of [
      [16, 1],
      [8, 2],
      [4, 4],
      [2, 8],
      [1, 16],
    ] as const) {
      const boxes = Array.from(
        x,
        (value, i) => `${Math.floor(value * across)} ${Math.floor((y[i] as number) * up)}`,
      );
      expect(new Set(boxes).size).toBe(16);
    }
  });

  it("has the direction numbers of all 52 dimensions: odd, and the sums of the columns as computed elsewhere", () => {
    // SciPy 1.17 qmc.Sobol(52, scramble=False): point 1000 in dimensions 10, 20, 30, 40 and 52.
    const points = row(sobolPoints(1001, 52), 1000);
    expect([10, 20, 30, 40, 52].map((dimension) => points[dimension - 1])).toEqual([
      0.0693359375, 0.7255859375, 0.3408203125, 0.4794921875, 0.5166015625,
    ]);
  });
});

describe("Owen's scrambling", () => {
  const scrambled = (count: number, dimensions: number, seed: number): Float64Array[] => {
    const columns = Array.from({ length: dimensions }, () => new Float64Array(count));
    scrambledSobol(count, dimensions)(randomSource(seed), columns);
    return columns;
  };

  it("keeps the points even: one in each part of each axis, one in each square", () => {
    const [x, y] = scrambled(64, 2, 3) as [Float64Array, Float64Array];
    expect(partCounts(x, 64)).toEqual(Array.from({ length: 64 }, () => 1));
    expect(partCounts(y, 64)).toEqual(Array.from({ length: 64 }, () => 1));
    const boxes = Array.from(x, (value, i) => `${Math.floor(value * 8)} ${Math.floor((y[i] as number) * 8)}`);
    expect(new Set(boxes).size).toBe(64);
  });

  it("makes every number uniform: the tenth point over 4,000 seeds", () => {
    const seeds = 4000;
    const tenth = Float64Array.from(
      { length: seeds },
      (_, seed) => (scrambled(16, 2, seed)[1] as Float64Array)[9] as number,
    );
    const expected = seeds / 20;
    const chiSquare = partCounts(tenth, 20).reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(36.19); // 99% of the chi-square distribution with 19 degrees of freedom
  });

  it("integrates a smooth function with a tenth of the error of independent draws, without bias", () => {
    const seeds = 200;
    const count = 256;
    const integrand = (x: number, y: number, z: number): number => Math.exp(x) * (0.5 + y) * Math.cos(z);
    const truth = (Math.E - 1) * Math.sin(1); // the mean of 0.5 + y is 1
    const errors = Array.from({ length: seeds }, (_, seed) => {
      const [x, y, z] = scrambled(count, 3, seed) as [Float64Array, Float64Array, Float64Array];
      return (
        x.reduce((sum, value, i) => sum + integrand(value, y[i] as number, z[i] as number), 0) / count - truth
      );
    });
    const spread = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / seeds);
    const random = randomSource(1);
    const draws = Array.from({ length: 20_000 }, () =>
      integrand(random.uniform(), random.uniform(), random.uniform()),
    );
    const variance = draws.reduce((sum, value) => sum + (value - truth) ** 2, 0) / draws.length;
    expect(spread).toBeLessThan(0.1 * Math.sqrt(variance / count));
    expect(Math.abs(errors.reduce((sum, e) => sum + e, 0) / seeds)).toBeLessThan(
      (3 * spread) / Math.sqrt(seeds),
    );
  });

  it("is the same for the same seed, and strictly between 0 and 1", () => {
    expect(scrambled(100, 3, 8)).toEqual(scrambled(100, 3, 8));
    expect(scrambled(100, 3, 8)).not.toEqual(scrambled(100, 3, 9));
    for (const column of scrambled(1000, 5, 1)) expect(column.every((x) => x > 0 && x < 1)).toBe(true);
    expect(row(scrambled(1, 2, 1), 0).every((x) => x > 0 && x < 1)).toBe(true);
  });
});

describe("Halton's sequence", () => {
  it("is the published one in the primes 2, 3 and 5", () => {
    // Train (2009), section 9.3.3, prints base 3 as 1/3, 2/3, 1/9, 4/9, 7/9, 2/9, 5/9, 8/9, 1/27.
    const [two, three, five] = haltonPoints(9, 3) as [Float64Array, Float64Array, Float64Array];
    expect([...two].slice(0, 7)).toEqual([1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8]);
    expect([...three]).toEqual([1 / 3, 2 / 3, 1 / 9, 4 / 9, 7 / 9, 2 / 9, 5 / 9, 8 / 9, 1 / 27]);
    expect([...five].slice(0, 6)).toEqual([1 / 5, 2 / 5, 3 / 5, 4 / 5, 1 / 25, 6 / 25]);
    expect(haltonPoints(3, 2, 4).map((column) => column[0])).toEqual([1 / 8, 4 / 9]);
  });
});

describe("bad arguments", () => {
  it.each([
    [() => sobolPoints(0, 1), "count must be a whole number from 1 to 2147483648, got 0"],
    [() => sobolPoints(8, 53), "dimensions must be a whole number from 1 to 52, got 53"],
    [() => scrambledSobol(1.5, 1), "count must be a whole number from 1 to 1048576, got 1.5"],
    [() => haltonPoints(8, 1, 0), "first must be a whole number from 1 to 2147483648, got 0"],
  ])("are named: %#", (call, message) => expect(call).toThrow(new RangeError(message)));
});
