import { beforeAll, describe, expect, it } from "vitest";
import { mixedLogitStability } from "../../dist/tradeoff/mixed-logit-stability.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal as normal } from "../../src/numeric/sampling.js";
import { normalQuantile } from "../../src/numeric/special.js";
import { normalTail } from "../../src/numeric/tail-probability.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { fitMixedLogit, type MixedLogitFit } from "../../src/tradeoff/mixed-logit.js";
import {
  drawTastes,
  individualCoefficients,
  mixedLogitProbabilities,
  mixedWillingnessToPay,
} from "../../src/tradeoff/mixed-logit-prediction.js";
import { type MixedLogitParameters, tastePopulation } from "../../src/tradeoff/mixed-logit-tastes.js";
import { willingnessToPay } from "../../src/tradeoff/willingness-to-pay.js";
import { fitWillingnessToPaySpace } from "../../src/tradeoff/willingness-to-pay-space.js";
import { chooseAgain, logOfChosen, study, tastes, truth } from "./mixed-studies.js";
import { simulatedStudy } from "./worlds.js";

const random = randomSource(1);
let fit: MixedLogitFit;

beforeAll(() => {
  fit = fitMixedLogit(study.rows, study.attributes, { tastes, random });
});

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (u: readonly number[], mu: number, v: readonly number[], mv: number): number =>
    u.reduce((sum, value, i) => sum + (value - mu) * ((v[i] as number) - mv), 0);
  return product(a, meanA, b, meanB) / Math.sqrt(product(a, meanA, a, meanA) * product(b, meanB, b, meanB));
}

describe("draws", () => {
  it("change the log-likelihood by less than 5 over ten seeds, at 1,000 draws and 100 respondents", async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const { range, logLikelihoods, coefficientRanges, warnings } = await mixedLogitStability(
      fit,
      study.rows,
      study.attributes,
      { tastes, seeds, refit: true, workers: 2 },
    );
    expect(range).toBeLessThan(5);
    expect(logLikelihoods[0]).toBeCloseTo(fit.logLikelihood, 7); // seed 1 is the fit's own
    expect(Math.max(...Object.values(coefficientRanges))).toBeLessThan(0.5);
    expect(warnings).toEqual([]);
  });

  it("are told to be too few where they are", async () => {
    const wild = { ...fit, parameters: { ...fit.parameters, spread: [[4], [0, 4]] } };
    const options = { tastes, seeds: [1, 2, 3, 4], draws: 32, workers: 0 };
    const { range, warnings } = await mixedLogitStability(wild, study.rows, study.attributes, options);
    expect(range).toBeGreaterThan(5);
    expect(warnings[0]).toMatch(
      /^the log-likelihood depends on the draws by \d+\.\d over 4 seeds: use more than 1000$/,
    );
    await expect(
      mixedLogitStability(fit, study.rows, study.attributes, { ...options, seeds: [1] }),
    ).rejects.toThrow("seeds must be at least two, got 1");
  });

  it("by Halton's sequence agree with those by Sobol's", () => {
    const halton = fitMixedLogit(study.rows, study.attributes, { tastes, random, sequence: "halton" });
    expect(Math.abs(halton.logLikelihood - fit.logLikelihood)).toBeLessThan(3);
    const off = (halton.coefficients["price"] as number) - (fit.coefficients["price"] as number);
    expect(Math.abs(off)).toBeLessThan(0.3 * (fit.standardErrors["price"] as number));
  });
});

describe("predictions", () => {
  it("given earlier choices multiply to the likelihood: mean log P is the log-likelihood", () => {
    const shares = mixedLogitProbabilities(fit.parameters, study.rows, study.attributes, {
      random,
      given: "earlier choices",
    });
    expect(logOfChosen(shares, study.rows)).toBeCloseTo(fit.logLikelihood, 8);
  });

  it("given nothing do so without panel, add up to 1, and need no choices", () => {
    const options = { random, draws: 256, panel: false };
    const loose = fitMixedLogit(study.rows, study.attributes, { ...options, tastes: { organic: "normal" } });
    const shares = mixedLogitProbabilities(loose.parameters, study.rows, study.attributes, options);
    expect(logOfChosen(shares, study.rows)).toBeCloseTo(loose.logLikelihood, 8);
    const { set, respondent } = study.rows;
    const unseen = mixedLogitProbabilities(loose.parameters, { set, respondent }, study.attributes, options);
    expect(unseen).toEqual(shares);
    for (let row = 0; row < 30; row += 3)
      expect((shares[row] as number) + (shares[row + 1] as number) + (shares[row + 2] as number)).toBeCloseTo(
        1,
        12,
      );
    const available = Array.from(set, (_, row) => Number(row % 3 !== 2));
    const fewer = mixedLogitProbabilities(
      loose.parameters,
      { set, respondent, available },
      study.attributes,
      options,
    );
    expect([fewer[2], (fewer[0] as number) + (fewer[1] as number)]).toEqual([0, expect.closeTo(1, 12)]);
  });

  it("of individual tastes hang together with the truth, and average to the population", () => {
    const long = simulatedStudy(truth, { respondents: 150, tasks: 30, seed: 12 });
    const { parameters } = fitMixedLogit(long.rows, long.attributes, { tastes, random, draws: 512 });
    const people = individualCoefficients(parameters, long.rows, long.attributes, {
      random,
      draws: 512,
      keep: 40,
    });
    expect(people.names).toEqual(["organic", "large", "price"]);
    expect(people.respondents.length).toBe(150);
    const column = (j: number): number[] => people.values.map((row) => row[j] as number);
    expect(
      correlation(
        column(0),
        long.tastes.map((taste) => taste["organic"] as number),
      ),
    ).toBeGreaterThan(0.85);
    expect(
      correlation(
        column(1),
        long.tastes.map((taste) => taste["large"] as number),
      ),
    ).toBeGreaterThan(0.75);
    expect(mean(column(0))).toBeCloseTo(parameters.location["organic"] as number, 1);
    expect(
      Math.max(...column(2).map((value) => Math.abs(value - (parameters.location["price"] as number)))),
    ).toBeLessThan(1e-12);
    const kept = people.draws as Float64Array;
    expect(kept.length).toBe(40 * 150 * 3);
    const spread = people.standardDeviations[7]?.[0] as number;
    const drawn = Array.from({ length: 40 }, (_, draw) => kept[(draw * 150 + 7) * 3] as number);
    expect(Math.abs(mean(drawn) - (people.values[7]?.[0] as number))).toBeLessThan(
      (3 * spread) / Math.sqrt(40),
    );
    const covered = people.values.filter((row, who) => {
      const off = (row[0] as number) - (long.tastes[who]?.["organic"] as number);
      return Math.abs(off) < 1.6448536 * (people.standardDeviations[who]?.[0] as number);
    });
    expect(covered.length / 150).toBeGreaterThan(0.82);
  });

  it("of the population have the moments of their distributions", () => {
    for (const [distribution, location, spread] of [
      ["normal", 0.4, 0.8],
      ["triangular", -0.3, 0.5],
      ["uniform", 0.2, 0.9],
      ["log-normal", -0.5, 0.6],
      ["negative log-normal", 0.3, 0.4],
    ] as const) {
      const parameters = {
        location: { x: location },
        tastes: { x: distribution },
        spread: [[spread]],
        price: null,
      };
      const drawn = drawTastes(parameters, 65_536, { random })["x"] as Float64Array;
      const population = tastePopulation(distribution, location, spread);
      expect(mean([...drawn])).toBeCloseTo(population.mean, 4);
      const variance = mean(Array.from(drawn, (value) => (value - population.mean) ** 2));
      expect(Math.sqrt(variance)).toBeCloseTo(population.standardDeviation, 2);
      expect(mean(Array.from(drawn, (value) => Number(value > 0)))).toBeCloseTo(population.shareAboveZero, 3);
    }
  });
});

describe("willingness to pay", () => {
  it("in its own space is the conditional logit's, with the errors of the delta method", () => {
    const space = fitWillingnessToPaySpace(study.rows, study.attributes, { price: "price" });
    const simple = fitConditionalLogit(study.rows, study.attributes);
    const { values } = willingnessToPay(simple, { price: "price", random, draws: 100 });
    for (const { attribute, value, standardError, delta } of values) {
      expect(space.coefficients[attribute]).toBeCloseTo(value, 12);
      expect(space.standardErrors[attribute]).toBeCloseTo(standardError, 12);
      expect(space.intervals[attribute]?.[0]).toBeCloseTo(delta[0], 12);
    }
    expect(space.coefficients["price"]).toBeCloseTo(-(simple.coefficients["price"] as number), 12);
    expect(space.logLikelihood).toBe(simple.logLikelihood);
    // The same maximum found by searching in the other parameters.
    const searched = fitMixedLogit(study.rows, study.attributes, {
      tastes: {},
      space: "willingness to pay",
      price: "price",
      random,
    });
    expect(searched.logLikelihood).toBeCloseTo(space.logLikelihood, 9);
    for (const [name, value] of Object.entries(space.coefficients)) {
      expect(searched.coefficients[name]).toBeCloseTo(value, 7);
      expect(searched.standardErrors[name]).toBeCloseTo(space.standardErrors[name] as number, 7);
    }
  });

  it("that differs between respondents is found, with a scale that differs too", () => {
    const source = randomSource(21);
    const blank = simulatedStudy(
      { mean: { organic: 0, price: 0 } },
      { respondents: 400, tasks: 10, seed: 6 },
    );
    const people = Array.from({ length: 400 }, () => ({
      scale: Math.exp(0.1 + 0.4 * normal(source)),
      worth: 1.5 + 0.8 * normal(source),
    }));
    const chosen = chooseAgain(blank, (row) => {
      const { scale, worth } = people[blank.rows.respondent[row] as number] as {
        scale: number;
        worth: number;
      };
      return (
        scale *
        (worth * (blank.attributes["organic"]?.[row] as number) -
          (blank.attributes["price"]?.[row] as number))
      );
    });
    const found = fitMixedLogit({ ...blank.rows, chosen }, blank.attributes, {
      tastes: { organic: "normal", price: "log-normal" },
      space: "willingness to pay",
      price: "price",
      draws: 256,
      random,
    });
    for (const [name, value] of Object.entries({
      organic: 1.5,
      "sd organic": 0.8,
      price: 0.1,
      "sd price": 0.4,
    })) {
      const off = ((found.coefficients[name] as number) - value) / (found.standardErrors[name] as number);
      expect(Math.abs(off), name).toBeLessThan(3);
    }
    const worth = mixedWillingnessToPay(found.parameters, { price: "price", random });
    expect(worth.values[0]?.median).toBeCloseTo(found.coefficients["organic"] as number, 2);
    const high =
      (found.coefficients["organic"] as number) + 1.6448536 * (found.coefficients["sd organic"] as number);
    expect(worth.values[0]?.limits[1]).toBeCloseTo(high, 1);
    expect(worth.warnings).toEqual([]);
  });

  it("warns where some respondents like a higher price", () => {
    const parameters: MixedLogitParameters = {
      location: { organic: 1, price: -1 },
      tastes: { price: "normal" },
      spread: [[0.6]],
      price: null,
    };
    const { warnings, values } = mixedWillingnessToPay(parameters, { price: "price", random });
    expect(warnings[0]).toMatch(/^4\.8% of respondents have a positive coefficient of price/); // normal tail beyond 1 / 0.6
    // Those come first in order, so the median is that of the coefficient's quantile at 50% less their share.
    const middle = -1 + 0.6 * normalQuantile(0.5 - normalTail(1 / 0.6));
    expect(values[0]?.median).toBeCloseTo(-1 / middle, 2);
  });
});
