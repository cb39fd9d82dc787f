import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gainsCurve, predictionDeciles } from "../../src/clv/accuracy.js";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { fitLogistic, predictProbability } from "../../src/scoring/logistic.js";
import {
  brierScore,
  calibrationOf,
  logLoss,
  reliabilityTable,
  rocArea,
  scoreQuality,
} from "../../src/scoring/score-quality.js";
import { grades, students } from "./grades.js";

/** Ratings 1 to 5 of 58 normal and 51 abnormal images: Hanley & McNeil (1982), Radiology 143(1), table I. */
const ratings = [
  [33, 6, 6, 11, 2],
  [3, 2, 2, 11, 33],
].flatMap((counts, abnormal) =>
  counts.flatMap((count, rating) => Array.from({ length: count }, () => [rating + 1, abnormal] as const)),
);
const score = ratings.map(([rating]) => rating);
const abnormal = ratings.map(([, truth]) => truth);

/** Outcomes drawn with the given log odds. */
function simulate(seed: number, n: number, bend: (logOdds: number) => number) {
  const random = randomSource(seed);
  const logOdds = Array.from({ length: n }, () => -1 + 1.2 * drawNormal(random));
  const chance = (x: number): number => 1 / (1 + Math.exp(-x));
  return {
    predicted: logOdds.map(chance),
    outcomes: logOdds.map((x) => Number(random.uniform() < chance(bend(x)))),
  };
}

describe("area under the ROC curve", () => {
  it("is that of the published ratings, with DeLong's standard error", () => {
    // Hanley & McNeil (1982): 0.893. Stata's manual of roctab, same data: 0.8932, 0.0307, 0.83295 to 0.95339.
    const { auc, standardError, low, high } = rocArea(score, abnormal);
    expect(auc).toBeCloseTo(0.8932, 4);
    expect(standardError).toBeCloseTo(0.0307, 4);
    expect(low).toBeCloseTo(0.83295, 5);
    expect(high).toBeCloseTo(0.95339, 5);
  });

  it("is the share of pairs ordered rightly, its error the one of the placements", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 30 }),
        (rows) => {
          const values = rows.map(([value]) => value);
          const outcomes = rows.map(([, event]) => Number(event));
          fc.pre(outcomes.includes(0) && outcomes.includes(1));
          const yes = values.filter((_, i) => outcomes[i] === 1);
          const no = values.filter((_, i) => outcomes[i] === 0);
          const psi = (a: number, b: number): number => (a > b ? 1 : a === b ? 0.5 : 0);
          const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
          const variance = (list: readonly number[]): number =>
            list.length < 2 ? 0 : list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1);
          const ofYes = yes.map((a) => mean(no.map((b) => psi(a, b))));
          const ofNo = no.map((b) => mean(yes.map((a) => psi(a, b))));
          const { auc, standardError } = rocArea(values, outcomes);
          expect(auc).toBeCloseTo(mean(ofYes), 12);
          const squared = variance(ofYes) / yes.length + variance(ofNo) / no.length;
          expect(standardError ** 2).toBeCloseTo(squared, 12);
          const reversed = rocArea(
            values.map((value) => -value),
            outcomes,
          );
          expect(reversed.auc).toBeCloseTo(1 - auc, 12);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  it("is 1 without error if the score separates, and 1/2 if it says nothing", () => {
    expect(rocArea([1, 2, 3, 4], [0, 0, 1, 1])).toEqual({
      auc: 1,
      standardError: 0,
      low: 1,
      high: 1,
      level: 0.95,
    });
    expect(rocArea([7, 7, 7], [0, 1, 0]).auc).toBe(0.5);
  });

  it("has an interval that covers the truth as often as it says", () => {
    // Scores N(1, 1) and N(0, 1): the area is Phi(1 / sqrt 2) = 0.7602.
    const truth = 0.7602499389065233;
    const runs = 400;
    let covered = 0;
    const random = randomSource(8);
    for (let run = 0; run < runs; run++) {
      const outcomes = Array.from({ length: 150 }, (_, i) => Number(i < 60));
      const values = outcomes.map((y) => y + drawNormal(random));
      const { low, high } = rocArea(values, outcomes, { level: 0.9 });
      covered += Number(low <= truth && truth <= high);
    }
    expect(Math.abs(covered / runs - 0.9)).toBeLessThan(3 * Math.sqrt((0.9 * 0.1) / runs));
  });
});

describe("scores of probabilities", () => {
  it("are what their definitions say", () => {
    const predicted = [0.1, 0.4, 0.8];
    const outcomes = [0, 1, 1];
    expect(brierScore(predicted, outcomes).score).toBeCloseTo((0.01 + 0.36 + 0.04) / 3, 12);
    expect(brierScore(predicted, outcomes).uncertainty).toBeCloseTo(2 / 9, 12);
    expect(logLoss(predicted, outcomes)).toBeCloseTo(
      -(Math.log(0.9) + Math.log(0.4) + Math.log(0.8)) / 3,
      12,
    );
    expect(brierScore([2 / 3, 2 / 3, 2 / 3], outcomes).skill).toBeCloseTo(0, 12);
    expect(brierScore([0, 1, 1], outcomes)).toMatchObject({ score: 0, skill: 1 });
  });

  it("agree with the fit on its own data", () => {
    const fit = fitLogistic(grades, students);
    const quality = scoreQuality(predictProbability(fit, students), grades);
    expect(quality.logLoss).toBeCloseTo(-fit.logLikelihood / 32, 12);
    // A maximum-likelihood fit is calibrated on its own data by construction.
    expect(quality.calibration.slope).toBeCloseTo(1, 7);
    expect(quality.calibration.intercept).toBeCloseTo(0, 7);
    expect(quality.baseRate).toBeCloseTo(11 / 32, 12);
    expect(quality.observations).toBe(32);
  });

  it("find predictions that are too far apart, and too low", () => {
    const { predicted, outcomes } = simulate(2, 20_000, (x) => 0.5 * x);
    const { slope, slopeError } = calibrationOf(predicted, outcomes);
    expect(Math.abs(slope - 0.5)).toBeLessThan(3 * slopeError);
    const low = simulate(3, 20_000, (x) => x + 0.4);
    const shifted = calibrationOf(low.predicted, low.outcomes);
    expect(Math.abs(shifted.slope - 1)).toBeLessThan(3 * shifted.slopeError);
    expect(Math.abs(shifted.intercept - 0.4)).toBeLessThan(3 * shifted.interceptError);
    expect(shifted.interceptError).toBeLessThan(0.02);
  });

  it("come with lift and gains of the deciles that count purchases elsewhere", () => {
    const { predicted, outcomes } = simulate(4, 2000, (x) => x);
    const deciles = predictionDeciles(predicted, outcomes);
    const base = outcomes.reduce((sum, y) => sum + y, 0) / 2000;
    const top = Array.from(deciles.array("actual"))[0] as number;
    expect(Array.from(deciles.array("lift"))[0]).toBeCloseTo(top / base, 12);
    const gains = gainsCurve({ score: predicted }, outcomes, { points: 10 });
    const rising = Array.from(gains.array("score")) as number[];
    expect(rising[1]).toBeCloseTo(Array.from(deciles.array("cumulative_share"))[0] as number, 12);
  });
});

describe("reliability table", () => {
  it("groups customers by prediction and keeps equal ones together", () => {
    const predicted = [0.9, 0.9, 0.9, 0.5, 0.5, 0.1];
    const groups = reliabilityTable(predicted, [1, 1, 0, 1, 0, 0], { groups: 3 });
    expect(groups.objects().map((row) => (row as { customers: number }).customers)).toEqual([3, 2, 1]);
    expect(Array.from(groups.array("actual"))).toEqual([2 / 3, 0.5, 0]);
    expect(Array.from(groups.array("group"))).toEqual([1, 2, 3]);
    expect(reliabilityTable([0.5, 0.5], [0, 1]).numRows()).toBe(1);
  });

  it("has limits of Wilson that hold what was true", () => {
    // Newcombe (1998), Statistics in Medicine 17(8), table I: 81 of 263, 0.2553 to 0.3662; 0 of 20, 0 to 0.1611.
    const outcomes = Array.from({ length: 283 }, (_, i) => Number(i < 81));
    const predicted = outcomes.map((_, i) => (i < 263 ? 0.3 : 0.1));
    const groups = reliabilityTable(predicted, outcomes, { groups: 10 });
    const [low, high] = ["low", "high"].map((name) => Array.from(groups.array(name)) as number[]);
    expect(low?.[0]).toBeCloseTo(0.2553, 4);
    expect(high?.[0]).toBeCloseTo(0.3662, 4);
    expect(low?.[1]).toBe(0);
    expect(high?.[1]).toBeCloseTo(0.1611, 4);
  });
});

describe("scores refuse", () => {
  it("bad probabilities, outcomes and options", () => {
    expect(() => rocArea([1, Number.NaN], [0, 1])).toThrow(
      new DataError("score in row 2 must be a finite number, got NaN"),
    );
    expect(() => rocArea([1], [0, 1])).toThrow(
      new DataError("score must have one value for each of the 2 rows, got 1"),
    );
    expect(() => rocArea([1, 2], [1, 1])).toThrow(
      new DataError("outcomes must contain both 0 and 1, but all 2 are 1"),
    );
    expect(() => rocArea([1, 2], [0, 1], { level: 95 })).toThrow(
      new RangeError("level must be between 0 and 1, got 95"),
    );
    expect(() => brierScore([0.5, 1.2], [0, 1])).toThrow(
      new DataError("probability in row 2 must be a fraction from 0 to 1, got 1.2"),
    );
    expect(() => logLoss([1, 0.5], [0, 1])).toThrow(
      new DataError("probability in row 1 must not be 1 where the outcome is 0: its log loss is infinite"),
    );
    expect(() => calibrationOf([0, 0.5], [0, 1])).toThrow(
      new DataError("probability in row 1 must be strictly between 0 and 1, got 0"),
    );
    expect(() => reliabilityTable([0.5, 0.6], [0, 1], { groups: 0 })).toThrow(
      new RangeError("groups must be a whole number from 1 up, got 0"),
    );
  });
});
