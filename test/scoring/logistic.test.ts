import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConvergenceError, DataError } from "../../src/core/errors.js";
import { hessianOf } from "../../src/numeric/derivatives.js";
import { invertSymmetric } from "../../src/numeric/matrix.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawBernoulli, drawNormal } from "../../src/numeric/sampling.js";
import { dummies, fitLogistic, predictProbability } from "../../src/scoring/logistic.js";
import { grades, students } from "./grades.js";

/** Minus the log-likelihood by its definition, with its gradient. */
const definition =
  (outcomes: readonly number[], columns: readonly (readonly number[])[]) =>
  (x: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let value = 0;
    for (const [row, y] of outcomes.entries()) {
      const eta = columns.reduce((sum, column, j) => sum + (column[row] as number) * (x[j] as number), 0);
      const p = 1 / (1 + Math.exp(-eta));
      value -= y === 1 ? Math.log(p) : Math.log(1 - p);
      for (const [j, column] of columns.entries())
        gradient[j] = (gradient[j] as number) - (y - p) * (column[row] as number);
    }
    return value;
  };

describe("logistic regression", () => {
  it("reproduces the published estimates for the grades of Spector & Mazzeo", () => {
    // Greene, Econometric Analysis, table of logit estimates; statsmodels' example prints the same.
    const fit = fitLogistic(grades, students);
    const { parameters, standardErrors } = fit;
    expect(Object.keys(parameters)).toEqual(["intercept", "GPA", "TUCE", "PSI"]);
    expect(parameters["intercept"]).toBeCloseTo(-13.0213, 4);
    expect(parameters["GPA"]).toBeCloseTo(2.8261, 4);
    expect(parameters["TUCE"]).toBeCloseTo(0.0952, 4);
    expect(parameters["PSI"]).toBeCloseTo(2.3787, 4);
    expect(fit.logLikelihood).toBeCloseTo(-12.88963, 5);
    expect(standardErrors["intercept"]).toBeCloseTo(4.931, 3);
    expect(standardErrors["GPA"]).toBeCloseTo(1.263, 3);
    expect(standardErrors["TUCE"]).toBeCloseTo(0.142, 3);
    expect(standardErrors["PSI"]).toBeCloseTo(1.065, 3);
    expect(fit.nullLogLikelihood).toBeCloseTo(-20.5917, 3);
    expect(fit.likelihoodRatioTest.chiSquare).toBeCloseTo(15.4042, 3);
    expect(fit.likelihoodRatioTest.degreesOfFreedom).toBe(3);
    expect(fit.likelihoodRatioTest.p).toBeCloseTo(0.0015, 4);
    expect([fit.observations, fit.events]).toEqual([32, 11]);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
  });

  it("has a gradient of zero and the inverse Hessian as covariance", () => {
    const fit = fitLogistic(grades, students);
    const columns = [grades.map(() => 1), ...Object.values(students)];
    const x = Float64Array.from(Object.values(fit.parameters));
    const gradient = new Float64Array(4);
    expect(-definition(grades, columns)(x, gradient)).toBeCloseTo(fit.logLikelihood, 10);
    for (const slope of gradient) expect(slope).toBeCloseTo(0, 8);
    const inverse = invertSymmetric(hessianOf(definition(grades, columns), x)) as number[][];
    for (const [i, row] of inverse.entries())
      for (const [j, value] of row.entries()) expect((fit.covariance[i]?.[j] ?? 0) / value).toBeCloseTo(1, 6);
    const z = (fit.parameters["GPA"] as number) / (fit.standardErrors["GPA"] as number);
    expect(fit.z["GPA"]).toBe(z);
    const block = invertSymmetric(fit.covariance.slice(1).map((row) => row.slice(1))) as number[][];
    const wald = block.reduce(
      (sum, row, i) =>
        sum + row.reduce((part, value, j) => part + value * (x[i + 1] as number) * (x[j + 1] as number), 0),
      0,
    );
    expect(fit.waldTest.chiSquare).toBeCloseTo(wald, 8);
  });

  it("gives back the log odds of a table and of a grouped one", () => {
    const outcomes = [1, 0, 1, 0];
    const weights = [30, 70, 60, 40];
    const x = [0, 0, 1, 1];
    const fit = fitLogistic(outcomes, { x }, { weights });
    expect(fit.parameters["intercept"]).toBeCloseTo(Math.log(30 / 70), 10);
    expect(fit.parameters["x"]).toBeCloseTo(Math.log(60 / 40) - Math.log(30 / 70), 10);
    // Woolf (1955): the variance of a log odds ratio.
    expect(fit.standardErrors["x"]).toBeCloseTo(Math.sqrt(1 / 30 + 1 / 70 + 1 / 60 + 1 / 40), 8);
    const rows = weights.flatMap((count, i) => Array.from({ length: count }, () => i));
    const long = fitLogistic(
      rows.map((i) => outcomes[i] as number),
      { x: rows.map((i) => x[i] as number) },
    );
    expect(long.parameters["x"]).toBeCloseTo(fit.parameters["x"] as number, 10);
    expect(long.logLikelihood).toBeCloseTo(fit.logLikelihood, 9);
    expect(long.observations).toBe(200);
    // Robust errors of a saturated table are the same.
    const robust = fitLogistic(
      rows.map((i) => outcomes[i] as number),
      { x: rows.map((i) => x[i] as number) },
      { robust: true },
    );
    expect(robust.standardErrors["x"]).toBeCloseTo(fit.standardErrors["x"] as number, 8);
    expect(robust.robust).toBe(true);
  });

  it("counts twins in one cluster once", () => {
    const twins = grades.flatMap((grade) => [grade, grade]);
    const doubled = Object.fromEntries(
      Object.entries(students).map(([name, values]) => [name, values.flatMap((value) => [value, value])]),
    );
    const cluster = twins.map((_, i) => `family ${Math.floor(i / 2)}`);
    const alone = fitLogistic(grades, students, { robust: true });
    const together = fitLogistic(twins, doubled, { cluster });
    for (const name of Object.keys(alone.parameters))
      expect(together.standardErrors[name]).toBeCloseTo(alone.standardErrors[name] as number, 8);
  });

  it("recovers its parameters, and its errors say how well", () => {
    const random = randomSource(11);
    const truth = { intercept: -1, a: 0.8, b: -0.5 };
    const n = 20_000;
    const a = Array.from({ length: n }, () => drawNormal(random));
    const b = Array.from({ length: n }, () => drawNormal(random));
    const chance = predictProbability({ parameters: truth }, { a, b });
    const outcomes = Array.from(chance, (p) => Number(drawBernoulli(random, p)));
    for (const robust of [false, true]) {
      const fit = fitLogistic(outcomes, { a, b }, { robust });
      for (const [name, value] of Object.entries(truth)) {
        const error = fit.standardErrors[name] as number;
        expect(Math.abs((fit.parameters[name] as number) - value)).toBeLessThan(3 * error);
        expect(error).toBeLessThan(0.02);
      }
    }
  });

  it("does not depend on the units, the order or the reference", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.double({ min: -1e3, max: 1e3, noNaN: true }),
        (seed, factor, shift) => {
          const random = randomSource(seed);
          const x = Array.from({ length: 200 }, () => drawNormal(random));
          const labels = x.map(() => "ABC"[Math.floor(3 * random.uniform())] as string);
          const outcomes = x.map((value) => Number(random.uniform() < 1 / (1 + Math.exp(-value))));
          const one = fitLogistic(outcomes, { x, ...dummies("plan", labels) });
          const moved = x.map((value) => factor * (shift + value));
          const two = fitLogistic([...outcomes].reverse(), {
            ...dummies("plan", [...labels].reverse(), { reference: "C" }),
            x: moved.reverse(),
          });
          expect(two.logLikelihood).toBeCloseTo(one.logLikelihood, 8);
          const slope = (one.parameters["x"] as number) / factor;
          expect((two.parameters["x"] as number) / slope).toBeCloseTo(1, 5);
          expect(two.parameters["plan=A"]).toBeCloseTo(-(one.parameters["plan=C"] as number), 6);
        },
      ),
      { seed: 3, numRuns: 25 },
    );
  });

  it("takes an offset as a coefficient of 1, and none as the intercept alone", () => {
    const full = fitLogistic(grades, students);
    const gpa = full.parameters["GPA"] as number;
    const offset = students.GPA.map((value) => gpa * value);
    const { TUCE, PSI } = students;
    const rest = fitLogistic(grades, { TUCE, PSI }, { offset });
    expect(rest.parameters["PSI"]).toBeCloseTo(full.parameters["PSI"] as number, 7);
    expect(rest.logLikelihood).toBeCloseTo(full.logLikelihood, 9);
    const fitted = predictProbability(rest, { TUCE, PSI }, { offset });
    // The likelihood equations: as many events are expected as happened.
    expect(fitted.reduce((sum, p) => sum + p, 0)).toBeCloseTo(11, 7);
    const base = fitLogistic(grades, {});
    expect(base.parameters["intercept"]).toBeCloseTo(Math.log(11 / 21), 10);
    expect(base.likelihoodRatioTest).toEqual({ chiSquare: 0, degreesOfFreedom: 0, p: 1 });
    const through = fitLogistic([1, 0, 1, 1], { x: [1, 1, 1, 2] }, { intercept: false });
    expect(Object.keys(through.parameters)).toEqual(["x"]);
    expect(through.nullLogLikelihood).toBeCloseTo(4 * Math.log(0.5), 12);
    const slope = through.parameters["x"] as number;
    const p = (x: number): number => 1 / (1 + Math.exp(-slope * x));
    expect(3 * p(1) + 2 * p(2)).toBeCloseTo(4, 8);
  });

  it("shrinks with the penalty, by the definition of the penalised likelihood", () => {
    const penalty = 0.05;
    const fit = fitLogistic(grades, students, { penalty });
    const columns = [grades.map(() => 1), ...Object.values(students)];
    const x = Float64Array.from(Object.values(fit.parameters));
    const gradient = new Float64Array(4);
    definition(grades, columns)(x, gradient);
    expect(gradient[0]).toBeCloseTo(0, 7);
    for (const [j, column] of Object.values(students).entries()) {
      const mean = column.reduce((sum, value) => sum + value, 0) / 32;
      const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 31;
      const pull = penalty * 32 * variance * (x[j + 1] as number);
      expect((gradient[j + 1] as number) + pull).toBeCloseTo(0, 6);
    }
    expect(Math.abs(fit.parameters["PSI"] as number)).toBeLessThan(2.3787);
  });

  it("settles where the rounding of many rows hides the last steps", () => {
    const outcomes = (rows: number, events: number): Float64Array => {
      const column = new Float64Array(rows);
      for (let event = 0; event < events; event++) column[Math.floor((event * rows) / events)] = 1;
      return column;
    };
    for (const [rows, events] of [
      [400_000, 12_016],
      [641_899, 20_000],
    ] as const) {
      const { intercept } = fitLogistic(outcomes(rows, events), {}).parameters;
      expect(intercept).toBeCloseTo(Math.log(events / (rows - events)), 10);
    }
  });

  it("stays finite far out", () => {
    const chance = predictProbability({ parameters: { intercept: 0, x: 1 } }, { x: [-800, 0, 800] });
    expect([...chance]).toEqual([0, 0.5, 1]);
  });
});

describe("logistic regression refuses", () => {
  const x = [1, 2, 3, 4, 5, 6];
  const y = [0, 1, 0, 1, 0, 1];

  it("separated data, naming what separates", () => {
    const message = (names: string): string =>
      `logistic: the coefficient of ${names} has no finite maximum, the likelihood rises for ever: some value of it goes with one outcome only. Merge levels, leave it out, or set a penalty such as 0.01`;
    expect(() => fitLogistic([0, 0, 0, 1, 1, 1], { x })).toThrow(new ConvergenceError(message("x")));
    // Quasi-complete: nobody of plan C left; the other covariate is not to blame.
    const many = Array.from({ length: 60 }, (_, i) => i);
    const plan = dummies(
      "plan",
      many.map((i) => (i < 10 ? "C" : i % 2 ? "A" : "B")),
    );
    const age = many.map((i) => (i * 7) % 13);
    const left = many.map((i) => (i < 10 ? 0 : Number((i * 5) % 3 === 0)));
    expect(() => fitLogistic(left, { age, ...plan })).toThrow(new ConvergenceError(message("plan=C")));
    const held = fitLogistic(left, { age, ...plan }, { penalty: 0.01 });
    expect(held.parameters["plan=C"]).toBeLessThan(-1);
  });

  it("dependent, constant and unknown covariates", () => {
    const double = x.map((value) => 2 * value + 1);
    expect(() => fitLogistic(y, { x, z: [1, 0, 0, 1, 0, 0], double })).toThrow(
      new DataError(
        "logistic: covariate double must not be a linear combination of x: leave one of them out, or set a penalty",
      ),
    );
    expect(fitLogistic(y, { x, double }, { penalty: 0.01 }).converged).toBe(true);
    expect(() => fitLogistic(y, { x: [3, 3, 3, 3, 3, 3] })).toThrow(
      new DataError("covariate x must vary, but is 3 in every row: leave it out"),
    );
    expect(() => fitLogistic(y, { intercept: x })).toThrow(
      new DataError('covariates must not be named "intercept", got intercept'),
    );
    expect(() => fitLogistic(y, {}, { intercept: false })).toThrow(
      new DataError("covariates must name at least one column where there is no intercept, got none"),
    );
    expect(() => predictProbability({ parameters: { intercept: 1, x: 2 } }, { z: x })).toThrow(
      new DataError("covariates must contain x, got z"),
    );
  });

  it("bad columns, naming the row", () => {
    expect(() => fitLogistic([], {})).toThrow(new DataError("outcomes must have at least one row, got none"));
    expect(() => fitLogistic([0, 2], {})).toThrow(new DataError("outcome in row 2 must be 0 or 1, got 2"));
    expect(() => fitLogistic([1, 1, 1], {})).toThrow(
      new DataError("outcomes must contain both 0 and 1, but all 3 are 1"),
    );
    expect(() => fitLogistic(y, { x: [1, 2] })).toThrow(
      new DataError("covariate x must have one value for each of the 6 rows, got 2"),
    );
    expect(() => fitLogistic(y, { x: [1, Number.NaN, 3, 4, 5, 6] })).toThrow(
      new DataError("covariate x in row 2 must be a finite number, got NaN"),
    );
    expect(() => fitLogistic(y, { x }, { weights: [1, 1, 0, 1, 1, 1] })).toThrow(
      new DataError("weight in row 3 must be a finite number above 0, got 0"),
    );
    expect(() => fitLogistic(y, { x }, { cluster: ["a"] })).toThrow(
      new DataError("cluster must have one value for each of the 6 rows, got 1"),
    );
    const pairs = grades.map((_, i) => (i < 16 ? "early" : "late"));
    expect(() => fitLogistic(grades, students, { cluster: pairs })).toThrow(
      new DataError("logistic: robust standard errors need more clusters than the 3 covariates, got too few"),
    );
    expect(() => fitLogistic(y, { x }, { penalty: -1 })).toThrow(
      new RangeError("penalty must be a number from 0 up, got -1"),
    );
    expect(() => dummies("plan", ["a", ""])).toThrow(new DataError('plan in row 2 must be a label, got ""'));
    expect(() => dummies("plan", ["a", "b"], { reference: "c" })).toThrow(
      new RangeError("reference must be one of a, b, got c"),
    );
  });

  it("nothing that is nearly dependent, but warns", () => {
    const random = randomSource(4);
    const a = Array.from({ length: 300 }, () => drawNormal(random));
    const b = a.map((value) => value + 1e-4 * drawNormal(random));
    const outcomes = a.map(() => Number(random.uniform() < 0.4));
    const fit = fitLogistic(outcomes, { a, b });
    expect(fit.identification.weak).toBe(true);
    expect(fit.warnings).toHaveLength(1);
    expect(fit.warnings[0]).toMatch(/^logistic: covariates are nearly linear combinations of others/);
    expect(fitLogistic(outcomes, { a }).warnings).toEqual([]);
  });
});
