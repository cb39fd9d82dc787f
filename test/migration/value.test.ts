import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { transitionMatrix } from "../../src/migration/transitions.js";
import {
  bestPolicy,
  markovValue,
  markovValueInterval,
  policyValue,
  valueOfMove,
} from "../../src/migration/value.js";
import { randomSource } from "../../src/numeric/random.js";

/**
 * The example of Pfeifer & Carraway (2000), Modeling Customer Relationships as Markov Chains: recency 1 to 4 and lost,
 * purchase with probability 0.3, 0.2, 0.15, 0.05, contribution 40, mailing 4, discount rate 0.2. Only the paper's abstract
 * was at hand: the inputs are cited from memory, and the values below (50.115 …, 52.320 …, the best policy's 53.149) are
 * computed from them with another program, V = (I - P / 1.2)^-1 R. None is read off the printed page.
 */
const states = ["recency 1", "recency 2", "recency 3", "recency 4", "lost"];
const mailed = {
  matrix: [
    [0.3, 0.7, 0, 0, 0],
    [0.2, 0, 0.8, 0, 0],
    [0.15, 0, 0, 0.85, 0],
    [0.05, 0, 0, 0, 0.95],
    [0, 0, 0, 0, 1],
  ],
  reward: [36, -4, -4, -4, 0],
};
const dropped = { matrix: states.map(() => [0, 0, 0, 0, 1]), reward: [40, 0, 0, 0, 0] };
const discountRate = 0.2;
const problem = { states, actions: { mail: mailed, stop: dropped }, discountRate };
const rounded = (values: readonly number[]): number[] =>
  values.map((value) => Math.round(value * 1000) / 1000);

describe("lifetime value in a Markov chain", () => {
  it("agrees with the values recomputed for Pfeifer and Carraway, four periods and for ever", () => {
    expect(rounded(markovValue({ ...mailed, discountRate, horizon: 4 }))).toEqual([
      50.115, 4.22, 0.592, -1.98, 0,
    ]);
    expect(rounded(markovValue({ ...mailed, discountRate }))).toEqual([52.32, 5.554, 1.251, -1.82, 0]);
  });

  it("with one loyal state is the value of a contract, m (1 + d) / (1 + d - r)", () => {
    const rate = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(rate, rate, (kept, discount) => {
        const [value = 0] = markovValue({
          matrix: [
            [kept, 1 - kept],
            [0, 1],
          ],
          reward: [1, 0],
          discountRate: discount,
        });
        expect((value * (1 + discount - kept)) / (1 + discount)).toBeCloseTo(1, 10);
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it("of many periods tends to that for ever, and of none is the reward", () => {
    const forever = markovValue({ ...mailed, discountRate });
    const long = markovValue({ ...mailed, discountRate, horizon: 200 });
    for (const [state, value] of forever.entries()) expect(long[state]).toBeCloseTo(value, 12);
    expect(markovValue({ ...mailed, discountRate, horizon: 0 })).toEqual(mailed.reward);
    expect(markovValue({ ...mailed, discountRate: 0, horizon: 1 })[0]).toBeCloseTo(
      36 + 0.3 * 36 - 0.7 * 4,
      12,
    );
  });

  it.each([
    [
      "percent",
      { discountRate: 20 },
      "discountRate must be a fraction per period above 0 (all future periods are counted), below 1 (2 percent is 0.02), got 20",
    ],
    [
      "no discount for ever",
      { discountRate: 0 },
      "discountRate must be a fraction per period above 0 (all future periods are counted), below 1 (2 percent is 0.02), got 0",
    ],
    [
      "a negative rate",
      { discountRate: -0.1, horizon: 3 },
      "discountRate must be a fraction per period from 0 up, below 1 (2 percent is 0.02), got -0.1",
    ],
    ["a reward too few", { reward: [1, 2] }, "reward must be 5 numbers, one a state, got 1, 2"],
    [
      "a reward that is none",
      { reward: [1, 2, 3, 4, Number.NaN] },
      "reward must be 5 numbers, one a state, got 1, 2, 3, 4, NaN",
    ],
    ["half a period", { horizon: 0.5 }, "horizon must be a whole number of periods from 0 up, got 0.5"],
  ])("refuses %s", (_, wrong, message) => {
    expect(() => markovValue({ ...mailed, discountRate, ...wrong })).toThrow(new RangeError(message));
  });

  it("refuses a matrix in percent", () => {
    const matrix = mailed.matrix.map((row) => row.map((share) => share * 100));
    expect(() => markovValue({ ...mailed, matrix, states, discountRate })).toThrow(
      new DataError("matrix: row 1 (recency 1) must have shares between 0 and 1; 25 percent is 0.25, got 30"),
    );
  });
});

describe("interval of the value", () => {
  it("shrinks with the root of the observations and holds the value", () => {
    const width = (scale: number): number => {
      const counts = [
        [80 * scale, 20 * scale],
        [10 * scale, 90 * scale],
      ];
      const estimate = transitionMatrix({ states: ["a", "b"], counts });
      const { value, low, high } = markovValueInterval(
        estimate,
        { reward: [10, 0], discountRate: 0.1 },
        { random: randomSource(1) },
      );
      expect(low[0]).toBeLessThan(value[0] as number);
      expect(high[0]).toBeGreaterThan(value[0] as number);
      return (high[0] as number) - (low[0] as number);
    };
    expect(width(1) / width(100)).toBeGreaterThan(8);
    expect(width(1) / width(100)).toBeLessThan(12);
  });

  it("refuses few draws", () => {
    const estimate = transitionMatrix({
      states: ["a", "b"],
      counts: [
        [1, 1],
        [1, 1],
      ],
    });
    const terms = { reward: [1, 0], discountRate: 0.1 };
    expect(() => markovValueInterval(estimate, terms, { random: randomSource(1), draws: 2 })).toThrow(
      new RangeError("draws must be a whole number from 20 up, got 2"),
    );
  });
});

it("moving a customer gains the difference of the values, with or without this period's reward", () => {
  const gains = valueOfMove({ ...mailed, states, discountRate });
  expect(gains.numRows()).toBe(20);
  const row = (gains.objects() as { from: string; to: string; gain: number; gain_later: number }[]).find(
    ({ from, to }) => from === "recency 3" && to === "recency 1",
  );
  expect(row?.gain).toBeCloseTo(52.32 - 1.251, 2);
  expect(row?.gain_later).toBeCloseTo(52.32 - 36 - (1.251 + 4), 2);
});

describe("best policy", () => {
  it("stops mailing after recency 3", () => {
    const best = bestPolicy(problem);
    expect(best.policy.slice(0, 4)).toEqual(["mail", "mail", "mail", "stop"]);
    expect(rounded(best.value.slice(0, 1))).toEqual([53.149]);
    expect(best.actionValues["mail"]?.[3]).toBeLessThan(0);
  });

  it("is worth what the policies after recency 1 to 4 are", () => {
    const after = (recency: number): number =>
      policyValue(
        problem,
        states.map((_, state) => (state < recency ? "mail" : "stop")),
      )[0] as number;
    expect(rounded([1, 2, 3, 4].map(after))).toEqual([48, 51.574, 53.149, 52.32]);
  });

  it("is at least as good as every other policy", () => {
    const matrix = fc
      .array(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }), {
        minLength: 3,
        maxLength: 3,
      })
      .map((rows) => rows.map((row) => row.map((weight) => weight / row.reduce((a, b) => a + b, 0))));
    const action = fc.record({
      matrix,
      reward: fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(action, action, (one, other) => {
        const random = { actions: { one, other }, discountRate: 0.1 };
        const { value } = bestPolicy(random);
        for (let code = 0; code < 8; code++) {
          const policy = [1, 2, 4].map((bit) => (code & bit ? "one" : "other"));
          for (const [state, worth] of policyValue(random, policy).entries()) {
            expect(worth).toBeLessThanOrEqual((value[state] as number) + 1e-9);
          }
        }
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  it("refuses no action, an unknown one, and a broken one", () => {
    expect(() => bestPolicy({ actions: {}, discountRate })).toThrow(
      new RangeError("actions must hold at least one action, got none"),
    );
    expect(() => policyValue(problem, ["mail", "mail", "mail", "call", "mail"])).toThrow(
      new RangeError('policy must name actions (mail, stop), got "call"'),
    );
    expect(() => policyValue(problem, ["mail"])).toThrow(new RangeError("policy must name 5 actions, got 1"));
    expect(() => bestPolicy({ ...problem, discountRate: 0 })).toThrow(RangeError);
    expect(() => bestPolicy({ ...problem, actions: { mail: { ...mailed, reward: [1] } } })).toThrow(
      new RangeError("reward of mail must be 5 numbers, one a state, got 1"),
    );
  });
});
