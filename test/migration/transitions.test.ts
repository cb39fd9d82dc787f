import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import {
  bootstrapTransitions,
  drawTransitionMatrix,
  transitionCounts,
  transitionMatrix,
} from "../../src/migration/transitions.js";
import { randomSource } from "../../src/numeric/random.js";
import { simulateChain } from "./simulate.js";

const truth = [
  [0.7, 0.2, 0.1],
  [0.3, 0.5, 0.2],
  [0.05, 0.05, 0.9],
];
const states = ["a", "b"];

describe("transition counts", () => {
  it("count neighbouring periods that are both observed, and never from one customer to the next", () => {
    const stateAt = Int16Array.from([0, 0, 1, -1, 1, 0, 1, -1, 0]);
    const counts = transitionCounts({ states, periods: ["1", "2", "3"], customers: [1, 2, 3], stateAt });
    expect(counts.periods).toEqual(["1", "2"]);
    expect(counts.byPeriod).toEqual([
      [
        [1, 0],
        [0, 0],
      ],
      [
        [0, 1],
        [1, 0],
      ],
    ]);
    expect(counts.counts).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  it("need two periods", () => {
    const one = { states, periods: ["1"], customers: [1], stateAt: Int16Array.of(0) };
    expect(() => transitionCounts(one)).toThrow(
      new DataError("states: at least two periods are needed for a move, got 1"),
    );
  });
});

describe("transition matrix", () => {
  it("is the observed shares; with a prior the posterior mean", () => {
    const counts = [
      [8, 2],
      [1, 3],
    ];
    expect(transitionMatrix({ states, counts }).matrix).toEqual([
      [0.8, 0.2],
      [0.25, 0.75],
    ]);
    expect(transitionMatrix({ states, counts }, { prior: 1 }).matrix).toEqual([
      [9 / 12, 3 / 12],
      [2 / 6, 4 / 6],
    ]);
    expect(
      transitionMatrix(
        { states, counts },
        {
          prior: [
            [0, 0],
            [2, 0],
          ],
        },
      ).matrix[1],
    ).toEqual([0.5, 0.5]);
  });

  it("has the quantiles of beta shares as intervals", () => {
    // Beta(1, 9) and Beta(9, 1) in closed form: 1 - (1 - x)^9 and x^9.
    const { low, high } = transitionMatrix(
      {
        states,
        counts: [
          [1, 9],
          [3, 3],
        ],
      },
      { level: 0.8 },
    );
    expect(low[0]?.[0]).toBeCloseTo(1 - 0.9 ** (1 / 9), 12);
    expect(high[0]?.[0]).toBeCloseTo(1 - 0.1 ** (1 / 9), 12);
    expect(low[0]?.[1]).toBeCloseTo(0.1 ** (1 / 9), 12);
    expect(high[0]?.[1]).toBeCloseTo(0.9 ** (1 / 9), 12);
    expect((low[1]?.[0] as number) + (high[1]?.[0] as number)).toBeCloseTo(1, 12); // symmetric
  });

  it("does not call a move impossible because nobody made it yet", () => {
    const { matrix, low, high } = transitionMatrix(
      {
        states,
        counts: [
          [100, 0],
          [1, 1],
        ],
      },
      { level: 0.95 },
    );
    expect(matrix[0]).toEqual([1, 0]);
    expect([low[0]?.[1], high[0]?.[0]]).toEqual([0, 1]);
    // The rule of three: about 3 / n at 95%.
    expect(high[0]?.[1]).toBeCloseTo(1 - 0.05 ** (1 / 100), 12);
    expect(high[0]?.[1]).toBeCloseTo(0.03, 3);
    expect(low[0]?.[0]).toBeCloseTo(1 - (high[0]?.[1] as number), 12);
  });

  it("covers the truth as often as it says", () => {
    let inside = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { counts, states: names } = transitionCounts(
        simulateChain(randomSource(seed), 60, 5, () => truth),
      );
      const { low, high } = transitionMatrix({ states: names, counts }, { prior: 0.5, level: 0.9 });
      for (const [from, row] of truth.entries()) {
        for (const [to, share] of row.entries()) {
          if ((low[from]?.[to] as number) <= share && share <= (high[from]?.[to] as number)) inside++;
        }
      }
    }
    // 1,800 cells at 90%: standard error 0.7 points.
    expect(inside / 1800).toBeGreaterThan(0.88);
    expect(inside / 1800).toBeLessThan(0.92);
  });

  it("names rows that rest on little, and refuses those that rest on nothing", () => {
    const counts = [
      [5, 2],
      [0, 0],
    ];
    expect(() => transitionMatrix({ states, counts })).toThrow(
      new DataError(
        "counts: row 2 (b) must have at least one move, got none; add it to another state or give a prior",
      ),
    );
    const { matrix, warnings } = transitionMatrix({ states, counts }, { prior: 0.5 });
    expect(matrix[1]).toEqual([0.5, 0.5]);
    expect(warnings).toEqual([
      "a: only 7 moves observed, its shares are uncertain",
      "b: only 0 moves observed, its shares are uncertain",
    ]);
  });

  it("refuses shares instead of counts, and options that are none", () => {
    const counts = [
      [5, 2],
      [1, 1],
    ];
    expect(() =>
      transitionMatrix({
        states,
        counts: [
          [0.7, 0.3],
          [0, 1],
        ],
      }),
    ).toThrow(new DataError("counts: row 1 (a) must be whole numbers from 0 up, got 0.7"));
    expect(() => transitionMatrix({ states, counts: [[1, 2]] })).toThrow(
      new DataError("counts: there must be 2 rows of 2 numbers, got rows of 2"),
    );
    expect(() => transitionMatrix({ states, counts }, { level: 90 })).toThrow(
      new RangeError("level must be between 0 and 1, got 90"),
    );
    expect(() => transitionMatrix({ states, counts }, { prior: -1 })).toThrow(
      new RangeError("prior must be from 0 up, got -1"),
    );
  });
});

describe("drawn matrices", () => {
  it("have the mean and variance of the Dirichlet posterior, and keep impossible moves at 0", () => {
    const estimate = transitionMatrix({
      states,
      counts: [
        [30, 10],
        [5, 0],
      ],
    });
    const random = randomSource(5);
    const draws = Array.from({ length: 20_000 }, () => drawTransitionMatrix(estimate, random));
    const shares = draws.map((matrix) => matrix[0]?.[0] as number);
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    // Beta(30, 10): mean 0.75, variance 0.75 * 0.25 / 41; four standard errors.
    expect(Math.abs(mean - 0.75)).toBeLessThan(4 * Math.sqrt(variance / shares.length));
    expect(variance / ((0.75 * 0.25) / 41)).toBeCloseTo(1, 1);
    expect(draws.every(({ 1: row }) => row?.[0] === 1 && row[1] === 0)).toBe(true);
  });

  it("are certain of one state or another where hardly anything is known", () => {
    const estimate = transitionMatrix(
      {
        states,
        counts: [
          [0, 0],
          [1, 1],
        ],
      },
      { prior: 1e-9 },
    );
    const random = randomSource(6);
    const draws = Array.from({ length: 400 }, () => drawTransitionMatrix(estimate, random)[0] as number[]);
    expect(draws.every(([first = 0, second = 0]) => first + second === 1 && first * second === 0)).toBe(true);
    const heads = draws.filter(([first]) => first === 1).length;
    expect(Math.abs(heads - 200)).toBeLessThan(40); // four standard errors
  });
});

describe("bootstrap of transition matrices", () => {
  const population = simulateChain(randomSource(8), 2000, 6, () => truth);
  const moves = transitionCounts(population);

  it("agrees with the posterior where customers are alike", () => {
    const bootstrap = bootstrapTransitions(population, { random: randomSource(1) });
    const posterior = transitionMatrix(moves);
    for (const [from, row] of posterior.matrix.entries()) {
      for (const to of row.keys()) {
        const width = (posterior.high[from]?.[to] as number) - (posterior.low[from]?.[to] as number);
        const ours = (bootstrap.high[from]?.[to] as number) - (bootstrap.low[from]?.[to] as number);
        expect(Math.abs(ours / width - 1)).toBeLessThan(0.2); // 5% quantiles of 1,000 draws
      }
    }
  });

  it("is wider where customers differ", () => {
    // Half of them always stay, half always move: moves of one customer are no independent chances.
    const [stay, move] = [
      [
        [1, 0],
        [0, 1],
      ],
      [
        [0, 1],
        [1, 0],
      ],
    ];
    const mixed = simulateChain(randomSource(2), 1000, 10, (customer) => (customer % 2 === 0 ? stay : move));
    const { low, high } = bootstrapTransitions(mixed, { random: randomSource(1) });
    const naive = transitionMatrix(transitionCounts(mixed));
    const width = (ends: {
      low: readonly (readonly number[])[];
      high: readonly (readonly number[])[];
    }): number => (ends.high[0]?.[0] as number) - (ends.low[0]?.[0] as number);
    expect(width({ low, high }) / width(naive)).toBeGreaterThan(2);
  });

  it("draws all customers of small cells and large cells alike", () => {
    // One customer in a cell of its own, 50 in another: the single one must turn up once on average, variance 1 - 1/51.
    const stateAt = Int16Array.from([
      0,
      1,
      ...Array.from({ length: 50 }, () => [0, 0]).flat(),
      ...[1, 1, 1, 1, 1, 1, 1, 1],
    ]);
    const customers = Array.from({ length: 55 }, (_, customer) => customer);
    const { matrices } = bootstrapTransitions(
      { states, periods: ["1", "2"], customers, stateAt },
      { random: randomSource(3), resamples: 20_000, prior: 1e-9 },
    );
    const shares = matrices.map((matrix) => matrix[0]?.[1] as number);
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    expect(Math.abs(mean - 1 / 51)).toBeLessThan(4 * Math.sqrt(variance / shares.length));
    expect(variance / (((1 / 51) * (50 / 51)) / 51)).toBeCloseTo(1, 1);
  });

  it("is the same for the same seed", () => {
    const draw = () => bootstrapTransitions(population, { random: randomSource(9), resamples: 20 });
    expect(draw()).toEqual(draw());
  });

  it("refuses a state that resampling can lose", () => {
    const stateAt = Int16Array.from([1, 0, ...Array.from({ length: 5 }, () => [0, 0]).flat()]);
    const rare = { states, periods: ["1", "2"], customers: [1, 2, 3, 4, 5, 6], stateAt };
    expect(() => bootstrapTransitions(rare, { random: randomSource(1) })).toThrow(
      "counts: row 2 (b) must have at least one move, got none; it is too rare to resample: add it to another state or give a prior",
    );
    const alone = { states, periods: ["1", "2"], customers: [1], stateAt: Int16Array.of(-1, 0) };
    expect(() => bootstrapTransitions(alone, { random: randomSource(1) })).toThrow(
      new DataError("states: somebody must be observed in two periods in a row, got nobody"),
    );
    expect(() => bootstrapTransitions(population, { random: randomSource(1), resamples: 5 })).toThrow(
      new RangeError("resamples must be a whole number from 20 up, got 5"),
    );
  });
});
