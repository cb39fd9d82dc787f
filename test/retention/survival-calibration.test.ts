import { describe, expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { acceleratedSurvival, simulateLifetimes } from "../../src/retention/accelerated-failure.js";
import { kaplanMeier, survivalAt } from "../../src/retention/kaplan-meier.js";
import { survivalBrierScore, survivalCalibration } from "../../src/retention/survival-calibration.js";
import { remission } from "./worlds.js";

const model = {
  distribution: "weibull",
  coefficients: { intercept: 3, spend: 0.6 },
  scale: 0.7,
} as const;

function world(size: number, seed: number) {
  const random = randomSource(seed);
  const spend = Array.from({ length: size }, () => drawNormal(random));
  const until = Array.from({ length: size }, () => 5 + 40 * random.uniform());
  const data = simulateLifetimes(model, { spend }, random, { until });
  const predicted = acceleratedSurvival(model, { spend }, [15]).map(([share]) => share as number);
  return { spend, data, predicted };
}

describe("calibration of survival predictions", () => {
  const { data, predicted } = world(8000, 3);
  const groups = survivalCalibration(data, predicted, { at: 15 });

  it("finds the true model calibrated: intervals of ten groups hold the prediction, but for chance", () => {
    const shares = groups.array("predicted") as number[];
    expect(shares.every((share, k) => k === 0 || share > (shares[k - 1] ?? 0))).toBe(true);
    const inside = shares.filter(
      (share, k) => share >= Number(groups.get("low", k)) && share <= Number(groups.get("high", k)),
    );
    expect(inside.length).toBeGreaterThanOrEqual(8); // fewer has probability below 0.012 at 95%
    expect((groups.array("customers") as number[]).reduce((sum, n) => sum + n, 0)).toBe(8000);
  });

  it("catches predictions that are too high", () => {
    const flattered = predicted.map((share) => Math.sqrt(share));
    const flat = survivalCalibration(data, flattered, { at: 15 });
    for (let k = 0; k < 10; k++)
      expect(Number(flat.get("predicted", k))).toBeGreaterThan(Number(flat.get("high", k)));
  });

  it("is Kaplan-Meier itself for one group", () => {
    const [share] = survivalAt(kaplanMeier(remission), [10]);
    const one = survivalCalibration(
      remission,
      remission.time.map(() => 0.5),
      { at: 10, groups: 1 },
    );
    expect(one.get("observed", 0)).toBe(share);
    expect(one.get("predicted", 0)).toBe(0.5);
  });

  it("refuses what is no share, too many groups, and a time nobody was followed to", () => {
    const half = remission.time.map(() => 0.5);
    const of = (predictions: number[], at: number, count: number) => () =>
      survivalCalibration(remission, predictions, { at, groups: count });
    expect(of([50, ...half.slice(1)], 10, 2)).toThrow(
      "predicted in row 1 must be a share from 0 to 1, got 50",
    );
    expect(of(half, 10, 43)).toThrow("survival data must have a row for each of 43 groups, got 42");
    expect(of(half, 10, 0)).toThrow("groups must be a whole number from 1 up, got 0");
    expect(of(half, 36, 1)).toThrow("at must be at most 35, the last observed time of group 1, got 36");
  });
});

describe("Brier score", () => {
  it("is the mean squared error where nobody is censored", () => {
    const time = [1, 2, 3, 4];
    const predicted = [0.1, 0.4, 0.7, 0.9];
    const score = survivalBrierScore({ time, event: [1, 1, 1, 1] }, predicted, 2);
    expect(score).toBeCloseTo((0.1 ** 2 + 0.4 ** 2 + 0.3 ** 2 + 0.1 ** 2) / 4, 15);
  });

  it("weights for censoring as worked by hand", () => {
    // One of three at risk is censored at 2: whoever is seen later stands for 3/2 customers.
    const data = { time: [1, 2, 3, 5], event: [1, 0, 1, 1] };
    const score = survivalBrierScore(data, [0.2, 0.9, 0.4, 0.8], 4);
    expect(score).toBeCloseTo((0.2 ** 2 + 1.5 * 0.4 ** 2 + 1.5 * 0.2 ** 2) / 4, 15);
  });

  it("is unbiased for what a world without censoring shows, and lowest for the true model", () => {
    const { spend, data, predicted } = world(40_000, 8);
    const whole = simulateLifetimes(model, { spend }, randomSource(9));
    const [seen, all] = [survivalBrierScore(data, predicted, 15), survivalBrierScore(whole, predicted, 15)];
    expect(Math.abs(seen - all)).toBeLessThan(0.006); // three standard errors of a difference of two worlds
    for (const power of [0.7, 1.4])
      expect(
        survivalBrierScore(
          data,
          predicted.map((share) => share ** power),
          15,
        ),
      ).toBeGreaterThan(seen);
  });

  it("refuses entries and times after the end", () => {
    const half = remission.time.map(() => 0.5);
    expect(() => survivalBrierScore({ ...remission, entry: half }, half, 10)).toThrow(
      "entry must not be given",
    );
    expect(() => survivalBrierScore(remission, half, 36)).toThrow(
      "at must be at most the last observed time 35, got 36",
    );
    expect(() => survivalBrierScore(remission, half, 0)).toThrow("at must be above 0, got 0");
  });
});
