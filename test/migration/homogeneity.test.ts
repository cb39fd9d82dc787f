import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { orderTest, stationarityTest } from "../../src/migration/homogeneity.js";
import { type TransitionCounts, transitionCounts } from "../../src/migration/transitions.js";
import { randomSource } from "../../src/numeric/random.js";
import { simulateChain } from "./simulate.js";

const states = ["a", "b"];
const countsOf = (...byPeriod: number[][][]): TransitionCounts => ({
  states,
  periods: byPeriod.map((_, period) => `p${period + 1}`),
  counts: states.map((_, from) =>
    states.map((__, to) => byPeriod.reduce((sum, matrix) => sum + (matrix[from]?.[to] ?? 0), 0)),
  ),
  byPeriod,
});
const truth = [
  [0.6, 0.3, 0.1],
  [0.3, 0.5, 0.2],
  [0.2, 0.2, 0.6],
];
const rejected = (pValues: readonly number[]): number =>
  pValues.filter((p) => p < 0.05).length / pValues.length;

describe("stationarity test", () => {
  it("is the chi-square of each state's table, added up", () => {
    // The moves from a are a fourfold table, those from b the same in both periods.
    const test = stationarityTest(
      countsOf(
        [
          [30, 70],
          [10, 10],
        ],
        [
          [50, 50],
          [20, 20],
        ],
      ),
    );
    const chiSquare = (200 * (30 * 50 - 70 * 50) ** 2) / (100 * 100 * 80 * 120); // N (ad - bc)^2 / margins
    expect(test.chiSquare).toBeCloseTo(chiSquare, 12);
    const likelihoodRatio =
      2 * (30 * Math.log(0.75) + 70 * Math.log(7 / 6) + 50 * Math.log(1.25) + 50 * Math.log(5 / 6));
    expect(test.likelihoodRatio).toBeCloseTo(likelihoodRatio, 12);
    expect(test.degreesOfFreedom).toBe(2);
    expect(test.pValue).toBeCloseTo(Math.exp(-likelihoodRatio / 2), 12); // chi-square with 2 degrees of freedom
    expect(test.rows.map(({ state, degreesOfFreedom }) => [state, degreesOfFreedom])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    expect(test.rows[1]?.likelihoodRatio).toBeCloseTo(0, 12);
    expect(test.largestShift).toEqual({ from: "a", to: "a", period: "p1", share: 0.3, pooled: 0.4 });
    expect(test.thinCells).toBe(0);
  });

  it("counts only rows and columns that were observed", () => {
    // Nobody is in b in the first period; from c, which nobody comes to, everybody goes to a.
    const periods = [
      [
        [3, 7, 0],
        [0, 0, 0],
        [4, 0, 0],
      ],
      [
        [5, 5, 0],
        [4, 1, 0],
        [0, 0, 0],
      ],
      [
        [2, 2, 0],
        [9, 2, 0],
        [2, 0, 0],
      ],
    ];
    const test = stationarityTest({ ...countsOf(...periods), states: ["a", "b", "c"] });
    expect(test.rows.map(({ degreesOfFreedom }) => degreesOfFreedom)).toEqual([2, 1, 0]);
    expect(test.degreesOfFreedom).toBe(3);
    expect(test.rows[2]?.pValue).toBe(1);
    expect(test.thinCells).toBeGreaterThan(0.2);
  });

  it("rejects a chain that does not change in 5% of samples, and one that does always", () => {
    const p = (seed: number, drift: number): number =>
      stationarityTest(
        transitionCounts(
          simulateChain(randomSource(seed), 300, 6, (_, period) =>
            truth.map(([stay = 0, ...rest], row) =>
              row === 0 ? [stay - drift * period, 0.3 + drift * period, 0.1] : [stay, ...rest],
            ),
          ),
        ),
      ).pValue;
    const seeds = Array.from({ length: 400 }, (_, seed) => seed);
    const rate = rejected(seeds.map((seed) => p(seed, 0)));
    expect(rate).toBeGreaterThan(0.02); // 5% with a standard error of 1.1 points
    expect(rate).toBeLessThan(0.085);
    expect(rejected(seeds.slice(0, 20).map((seed) => p(seed, 0.08)))).toBe(1);
  });

  it("refuses one period, and no moves", () => {
    expect(() =>
      stationarityTest(
        countsOf([
          [1, 1],
          [1, 1],
        ]),
      ),
    ).toThrow(
      new DataError(
        "counts: at least two periods are needed, with a matrix each, got 1 matrices of 1 periods",
      ),
    );
    expect(() =>
      stationarityTest(
        countsOf(
          [
            [0, 0],
            [0, 0],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ),
      ),
    ).toThrow(new DataError("counts: there must be at least one move, got none"));
    expect(() =>
      stationarityTest(
        countsOf(
          [
            [1, 0.5],
            [0, 0],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ),
      ),
    ).toThrow("counts: row 1 (a) must be whole numbers from 0 up, got 0.5");
  });
});

describe("order test", () => {
  it("finds order 0, 1 and 2 where they are", () => {
    const even = [
      [0.5, 0.5],
      [0.5, 0.5],
    ];
    const sticky = [
      [0.8, 0.2],
      [0.3, 0.7],
    ];
    const independent = orderTest(simulateChain(randomSource(1), 500, 8, () => even));
    expect(independent.zeroAgainstFirst.pValue).toBeGreaterThan(0.05);
    expect(independent.bic.indexOf(Math.min(...independent.bic))).toBe(0);
    const first = orderTest(simulateChain(randomSource(1), 500, 8, () => sticky));
    expect(first.zeroAgainstFirst.pValue).toBeLessThan(1e-9);
    expect(first.firstAgainstSecond.pValue).toBeGreaterThan(0.05);
    expect(first.bic.indexOf(Math.min(...first.bic))).toBe(1);
    expect(first.observations).toBe(500 * 6);
    // Customers who differ look like a chain with a memory.
    const mixed = orderTest(
      simulateChain(randomSource(1), 500, 8, (customer) => (customer % 2 ? even : sticky)),
    );
    expect(mixed.firstAgainstSecond.pValue).toBeLessThan(0.01);
  });

  it("tests each state's table of before and after", () => {
    // Paths of three periods, so many each: before, now, after.
    const paths = [
      [0, 0, 0, 20],
      [0, 0, 1, 10],
      [1, 0, 0, 10],
      [1, 0, 1, 20],
      [0, 1, 1, 5],
    ] as const;
    const rows = paths.flatMap(([before, now, after, times]) =>
      Array.from({ length: times }, () => [before, now, after]),
    );
    const { firstAgainstSecond, zeroAgainstFirst } = orderTest({
      states,
      periods: ["1", "2", "3"],
      customers: [...rows.keys()],
      stateAt: Int16Array.from(rows.flat()),
    });
    expect(firstAgainstSecond.chiSquare).toBeCloseTo((60 * (20 * 20 - 10 * 10) ** 2) / 30 ** 4, 12);
    expect(firstAgainstSecond.degreesOfFreedom).toBe(1); // those now in b came from a alone
    expect(zeroAgainstFirst.chiSquare).toBeCloseTo((65 * (30 * 5 - 30 * 0) ** 2) / (60 * 5 * 30 * 35), 12);
  });

  it("rejects a chain of order 1 in 5% of samples", () => {
    const rate = rejected(
      Array.from(
        { length: 400 },
        (_, seed) =>
          orderTest(simulateChain(randomSource(seed), 300, 6, () => truth)).firstAgainstSecond.pValue,
      ),
    );
    expect(rate).toBeGreaterThan(0.02);
    expect(rate).toBeLessThan(0.085);
  });

  it("refuses customers without three periods in a row", () => {
    const stateAt = Int16Array.of(0, 1, -1, 0);
    expect(() => orderTest({ states, periods: ["1", "2", "3", "4"], customers: [1], stateAt })).toThrow(
      new DataError("states: somebody must be observed in three periods in a row, got nobody"),
    );
  });
});
