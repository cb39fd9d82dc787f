import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import {
  absorption,
  firstPassage,
  type MarkovChain,
  stationaryDistribution,
  sumOfPowers,
} from "../../src/migration/chain.js";

/** The weather in the Land of Oz. Grinstead & Snell (1997), Introduction to Probability, section 11.1. */
const oz: MarkovChain = {
  states: ["rain", "nice", "snow"],
  matrix: [
    [1 / 2, 1 / 4, 1 / 4],
    [1 / 2, 0, 1 / 2],
    [1 / 4, 1 / 4, 1 / 2],
  ],
};
/** The drunkard's walk between home and bar, five corners. Grinstead & Snell (1997), section 11.2. */
const walk: MarkovChain = {
  matrix: [
    [1, 0, 0, 0, 0],
    [1 / 2, 0, 1 / 2, 0, 0],
    [0, 1 / 2, 0, 1 / 2, 0],
    [0, 0, 1 / 2, 0, 1 / 2],
    [0, 0, 0, 0, 1],
  ],
};

function near(ours: readonly number[] | undefined, expected: readonly number[]): void {
  expect(ours?.length).toBe(expected.length);
  for (const [place, value] of expected.entries()) expect(ours?.[place]).toBeCloseTo(value, 12);
}

/** Random chains: rows of positive weights over their sums, some weights 0. */
const chains = fc.integer({ min: 2, max: 6 }).chain((n) =>
  fc
    .array(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: n, maxLength: n }), {
      minLength: n,
      maxLength: n,
    })
    .map((rows) => rows.map((row) => row.map((weight) => weight / row.reduce((a, b) => a + b, 0)))),
);

describe("stationary distribution", () => {
  it("is the published one of the Land of Oz", () => {
    near(stationaryDistribution(oz), [0.4, 0.2, 0.4]); // section 11.3
  });

  it("is kept by the chain", () => {
    fc.assert(
      fc.property(chains, (matrix) => {
        const shares = stationaryDistribution({ matrix });
        near(
          matrix.map((_, to) =>
            matrix.reduce((sum, row, from) => sum + (shares[from] as number) * (row[to] as number), 0),
          ),
          shares,
        );
        expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it("keeps the digits of tiny shares", () => {
    // Balance: p leaves the first state for the second at 1e-14, comes back at 0.5.
    const shares = stationaryDistribution({
      matrix: [
        [1 - 1e-14, 1e-14],
        [0.5, 0.5],
      ],
    });
    expect((shares[1] as number) / 2e-14).toBeCloseTo(1, 12);
  });

  it("is 0 for states that are left for good, and one for a chain that alternates", () => {
    expect(
      stationaryDistribution({
        matrix: [
          [0.5, 0.25, 0.25],
          [0, 0, 1],
          [0, 1, 0],
        ],
      }),
    ).toEqual([0, 0.5, 0.5]);
  });

  it("refuses a chain whose long run depends on the start", () => {
    expect(() => stationaryDistribution(walk)).toThrow(
      new DataError(
        "matrix: there must be one group of states that nobody leaves, got 2: {state 1} and {state 5}",
      ),
    );
  });
});

describe("first passage", () => {
  it("takes the published times in the Land of Oz", () => {
    // Mean first passage matrix, section 11.5; recurrence times are 1 / w.
    near(firstPassage(oz, "rain").periods, [2.5, 8 / 3, 10 / 3]);
    near(firstPassage(oz, "nice").periods, [4, 5, 4]);
    near(firstPassage(oz, "snow").periods, [10 / 3, 8 / 3, 2.5]);
    expect(firstPassage(oz, "snow").probability).toEqual([1, 1, 1]);
  });

  it("takes for ever where some never get there, and says how likely that is", () => {
    const { probability, periods } = firstPassage(walk, "state 1");
    near(probability, [1, 3 / 4, 1 / 2, 1 / 4, 0]);
    expect(periods).toEqual([1, ...new Array<number>(4).fill(Number.POSITIVE_INFINITY)]);
  });

  it("within t periods rises to the probability of ever", () => {
    const { within } = firstPassage(walk, "state 1", 200);
    expect(within[0]).toEqual([0, 0, 0, 0, 0]);
    expect(within[1]).toEqual([1, 0.5, 0, 0, 0]);
    expect(within[2]).toEqual([1, 0.5, 0.25, 0, 0]);
    near(within[200], [1, 3 / 4, 1 / 2, 1 / 4, 0]);
  });

  it("has a mean return time of 1 over the stationary share", () => {
    fc.assert(
      fc.property(chains, (matrix) => {
        const shares = stationaryDistribution({ matrix });
        for (const [state, share] of shares.entries()) {
          const { periods } = firstPassage({ matrix }, `state ${state + 1}`);
          expect((periods[state] as number) * share).toBeCloseTo(1, 9);
        }
      }),
      { seed: 4, numRuns: 40 },
    );
  });

  it("refuses a state that is none and a broken horizon", () => {
    expect(() => firstPassage(oz, "sun")).toThrow(
      new RangeError('target must be one of rain, nice, snow, got "sun"'),
    );
    expect(() => firstPassage(oz, "rain", 1.5)).toThrow(
      new RangeError("horizon must be a whole number of periods from 0 up, got 1.5"),
    );
  });
});

describe("absorption", () => {
  it("is the published one of the drunkard's walk", () => {
    // Section 11.2: fundamental matrix, steps, where it ends.
    const { transient, absorbing, visits, periods, probability } = absorption(walk);
    expect([transient, absorbing]).toEqual([
      [1, 2, 3],
      [0, 4],
    ]);
    near(visits.flat(), [1.5, 1, 0.5, 1, 2, 1, 0.5, 1, 1.5]);
    near(periods, [3, 4, 3]);
    near(probability.flat(), [3 / 4, 1 / 4, 1 / 2, 1 / 2, 1 / 4, 3 / 4]);
  });

  it("refuses a chain without an absorbing state, or with a trap beside it", () => {
    expect(() => absorption(oz)).toThrow(
      new DataError("matrix: a state must keep all its customers, but none of rain, nice, snow does"),
    );
    const matrix = [
      [1, 0, 0, 0],
      [0.2, 0.6, 0.2, 0],
      [0, 0, 0.5, 0.5],
      [0, 0, 1, 0],
    ];
    expect(() => absorption({ matrix })).toThrow(
      new DataError("matrix: customers must come to an absorbing state, but nobody leaves state 3, state 4"),
    );
  });
});

describe("what is no chain", () => {
  it.each([
    [
      "percent",
      [
        [90, 10],
        [50, 50],
      ],
      "matrix: row 1 (a) must have shares between 0 and 1; 25 percent is 0.25, got 90",
    ],
    [
      "a negative share",
      [
        [1.0, 0],
        [-0.5, 0.5],
      ],
      "matrix: row 2 (b) must have shares between 0 and 1, got -0.5",
    ],
    [
      "NaN",
      [
        [Number.NaN, 0],
        [0.5, 0.5],
      ],
      "matrix: row 1 (a) must have shares between 0 and 1, got NaN",
    ],
    [
      "a row that loses customers",
      [
        [0.5, 0.25],
        [0, 1],
      ],
      "matrix: row 1 (a) must add up to 1, got 0.75",
    ],
    ["a row that is short", [[1], [0, 1]], "matrix: row 1 (a) must have 2 shares, got 1"],
    ["a row too few", [[1]], "matrix: there must be a row for each state, got 1 rows for 2 states"],
  ])("%s is named", (_, matrix, message) => {
    expect(() => stationaryDistribution({ states: ["a", "b"], matrix })).toThrow(new DataError(message));
  });

  it("an empty matrix, and a singular system", () => {
    expect(() => stationaryDistribution({ matrix: [] })).toThrow("got 0 rows for 0 states");
    expect(() => sumOfPowers([[1]], [[1]])).toThrow(DataError);
  });
});
