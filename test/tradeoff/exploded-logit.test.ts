import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import {
  depthTests,
  explodedChoices,
  fitExplodedLogit,
  type RankingRows,
} from "../../src/tradeoff/exploded-logit.js";

const truth = { organic: 0.9, price: -0.6 };
const ALTERNATIVES = 4;

/** Rankings of four products by utility with Gumbel noise, which is `noise` times as large from the second rank on. */
function rankedStudy({ rankings = 400, seed = 1, noise = 1 } = {}): {
  rows: RankingRows & { set: number[]; rank: number[] };
  attributes: { organic: number[]; price: number[] };
} {
  const random = randomSource(seed);
  const gumbel = (): number => -Math.log(-Math.log(1 - random.uniform()));
  const rows = { set: [] as number[], rank: [] as number[] };
  const attributes = { organic: [] as number[], price: [] as number[] };
  for (let set = 0; set < rankings; set++) {
    const products = Array.from({ length: ALTERNATIVES }, () => {
      const [organic, price] = [Number(random.uniform() < 0.5), 4 * random.uniform()];
      return { organic, price, utility: truth.organic * organic + truth.price * price };
    });
    const ranks = products.map(() => 0);
    // By the independence of the logit, each rank may be drawn by itself among those left.
    for (let rank = 1; rank <= ALTERNATIVES; rank++) {
      const draws = products.map(({ utility }, k) =>
        ranks[k] === 0 ? utility + (rank === 1 ? 1 : noise) * gumbel() : Number.NEGATIVE_INFINITY,
      );
      ranks[draws.indexOf(Math.max(...draws))] = rank;
    }
    for (const [k, { organic, price }] of products.entries()) {
      rows.set.push(set);
      rows.rank.push(ranks[k] as number);
      attributes.organic.push(organic);
      attributes.price.push(price);
    }
  }
  return { rows, attributes };
}

const { rows, attributes } = rankedStudy();

describe("rankings as choices", () => {
  it("are a choice among all, then among the rest, until one is left", () => {
    const x = [10, 20, 30];
    const { rows: choices, attributes: columns } = explodedChoices(
      { set: [7, 7, 7], rank: [2, 1, 3], weight: [5, 5, 5] },
      { x },
    );
    expect(choices).toEqual({
      set: ["7 choice 1", "7 choice 1", "7 choice 1", "7 choice 2", "7 choice 2"],
      chosen: [1, 0, 0, 1, 0],
      respondent: [7, 7, 7, 7, 7],
      weight: [5, 5, 5, 5, 5],
    });
    expect(columns).toEqual({ x: [20, 10, 30, 10, 30] });
  });

  it("stop at the depth, at the last rank given, and leave out what was not available", () => {
    const x = [1, 2, 3, 4];
    const setsOf = (ranking: Omit<RankingRows, "set">, options = {}): number[] =>
      explodedChoices({ set: [1, 1, 1, 1], ...ranking }, { x }, options).attributes["x"] as number[];
    expect(setsOf({ rank: [1, 2, 3, 4] }, { depth: 1 })).toEqual([1, 2, 3, 4]);
    expect(setsOf({ rank: [1, 2, 3, 4] }, { from: 2, depth: 2 })).toEqual([2, 3, 4]);
    expect(setsOf({ rank: [0, 2, 0, 1] })).toEqual([4, 2, 1, 3, 2, 1, 3]);
    expect(setsOf({ rank: [0, 2, 0, 1], available: [1, 1, 0, 1] })).toEqual([4, 2, 1, 2, 1]);
  });
});

describe("the exploded logit", () => {
  it("recovers the tastes, is the conditional logit of the exploded choices, and sharper than first choices alone", () => {
    const fit = fitExplodedLogit(rows, attributes);
    for (const [name, value] of Object.entries(truth)) {
      const off = ((fit.coefficients[name] as number) - value) / (fit.standardErrors[name] as number);
      expect(Math.abs(off), name).toBeLessThan(3);
    }
    expect(fit.observations).toBe(400 * (ALTERNATIVES - 1));
    expect(fit.respondents).toBe(400);
    const exploded = explodedChoices(rows, attributes);
    expect(fitConditionalLogit(exploded.rows, exploded.attributes)).toEqual(fit);
    const first = fitConditionalLogit(
      { set: rows.set, chosen: rows.rank.map((rank) => Number(rank === 1)) },
      attributes,
    );
    const top = fitExplodedLogit(rows, attributes, { depth: 1 });
    expect(top.logLikelihood).toBeCloseTo(first.logLikelihood, 10);
    expect(top.coefficients["price"]).toBeCloseTo(first.coefficients["price"] as number, 12);
    expect(fit.standardErrors["price"]).toBeLessThan(0.8 * (first.standardErrors["price"] as number));
    const robust = fitExplodedLogit(rows, attributes, { errors: "respondent" });
    expect(
      Math.abs((robust.standardErrors["price"] as number) / (fit.standardErrors["price"] as number) - 1),
    ).toBeLessThan(0.15);
  });

  it("has the likelihood of a ranking by its closed form", () => {
    // Utilities 0, log 2 and log 3: the ranking c, b, a has probability 3/6 times 2/3.
    const ranking = { set: [1, 1, 1, 2, 2, 2], rank: [3, 2, 1, 1, 2, 3] };
    const x = [0, Math.log(2), Math.log(3), 0, Math.log(2), Math.log(3)];
    const at = (beta: number): number => {
      const weights = x.map((value) => Math.exp(beta * value));
      const chain = (order: readonly number[]): number =>
        order.reduce((sum, place, k) => {
          const rest = order.slice(k).reduce((total, other) => total + (weights[other] as number), 0);
          return sum + Math.log((weights[place] as number) / rest);
        }, 0);
      return chain([2, 1, 0]) + chain([3, 4, 5]);
    };
    expect(at(1)).toBeCloseTo(Math.log((3 / 6) * (2 / 3)) + Math.log((1 / 6) * (2 / 5)), 12);
    const fit = fitExplodedLogit(ranking, { x });
    const beta = fit.coefficients["x"] as number;
    expect(fit.logLikelihood).toBeCloseTo(at(beta), 12);
    expect(at(beta)).toBeGreaterThan(Math.max(at(beta + 0.01), at(beta - 0.01)));
  });
});

describe("depth tests", () => {
  it("agree where all ranks are given alike, in 9 of 10 studies at the 10% level", () => {
    let [small, all] = [0, 0];
    for (let seed = 1; seed <= 100; seed++) {
      const study = rankedStudy({ rankings: 100, seed: 300 + seed });
      for (const { depth, p, degreesOfFreedom } of depthTests(study.rows, study.attributes)) {
        expect(degreesOfFreedom).toBe(2);
        expect([2, 3]).toContain(depth);
        all++;
        if (p < 0.1) small++;
      }
    }
    expect(all).toBe(200);
    // Four standard errors of a share of 200.
    expect(Math.abs(small / all - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / 200));
  });

  it("find ranks that are given with less care", () => {
    const study = rankedStudy({ rankings: 600, noise: 3, seed: 2 });
    expect(depthTests(study.rows, study.attributes)[0]?.p).toBeLessThan(1e-3);
    expect(depthTests(study.rows, study.attributes, { depth: 2 })).toHaveLength(1);
  });
});

describe("bad input", () => {
  const set = [1, 1, 1];
  const x = [1, 2, 3];
  it.each([
    [{ set, rank: [1, 1, 2] }, "rank must be 1 once in ranking 1, got it in rows 1 and 2"],
    [{ set, rank: [1, 3, 0] }, "rank must be 2 once in ranking 1, got it nowhere from row 1 on"],
    [{ set, rank: [0, 0, 0] }, "rank must be 1 once in ranking 1, got it nowhere from row 1 on"],
    [{ set, rank: [1, 1.5, 2] }, "rank in row 2 must be a whole number from 0 up, got 1.5"],
    [{ set, rank: [1, 2] }, "rank must have one value for each of the 3 rows, got 2"],
    [
      { set, rank: [1, 2, 3], available: [1, 0, 1] },
      "rank in row 2 must be 0, for the alternative was not available, got 2",
    ],
    [{ set: [1, 1, 2], rank: [1, 2, 1] }, "ranking 2 must have at least two alternatives, got one in row 3"],
  ])("%#", (ranking, message) => {
    expect(() => fitExplodedLogit(ranking, { x })).toThrow(message);
  });

  it("rows of a ranking that do not stand together, a depth of 0", () => {
    expect(() =>
      fitExplodedLogit({ set: [1, 1, 2, 2, 1, 1], rank: [1, 2, 1, 2, 1, 2] }, { x: [1, 2, 3, 4, 5, 7] }),
    ).toThrow("rows of respondent 1 must stand together, but it comes again in row 5");
    expect(() => fitExplodedLogit(rows, attributes, { depth: 0 })).toThrow(
      "depth must be a whole number from 1 up, got 0",
    );
  });
});
