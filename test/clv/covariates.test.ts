import { describe, expect, it } from "vitest";
import { bgNbd, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel, ParameterValues } from "../../src/clv/buying-model.js";
import { type PurchaseHistories, purchaseCells } from "../../src/clv/cells.js";
import {
  type CovariateFit,
  type Covariates,
  fitWithCovariates,
  parametersFor,
} from "../../src/clv/covariates.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { informationCriteria, likelihoodRatioTest } from "../../src/clv/summary.js";
import { DataError } from "../../src/core/errors.js";
import { hessianOf } from "../../src/numeric/derivatives.js";
import { invertSymmetric } from "../../src/numeric/matrix.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawNormal } from "../../src/numeric/sampling.js";

const agesOf = (customers: number): number[] =>
  Array.from({ length: customers }, (_, i) => 27 + (i % 84) / 7);

/** Customers drawn one by one, each from the parameters of its own covariates. */
function simulateWith<P extends string>(
  model: BuyingModel<P>,
  truth: CovariateFit<P>,
  covariates: Covariates,
  customers: number,
  random: Random,
): PurchaseHistories {
  const columns = { x: [] as number[], recency: [] as number[], age: [] as number[] };
  for (const [row, age] of agesOf(customers).entries()) {
    const one = model.simulate(parametersFor(truth, valuesAt(covariates, row)), [age], random);
    columns.x.push(one.x[0] as number);
    columns.recency.push(one.recency[0] as number);
    columns.age.push(age);
  }
  return columns;
}

/** The covariates of the customer in a row. */
function valuesAt(covariates: Covariates, row: number) {
  const at = (columns: Covariates["purchase"] = {}): Record<string, number> =>
    Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[row] as number]));
  return { purchase: at(covariates.purchase), dropout: at(covariates.dropout) };
}

/** A fit as it would be if these were the estimates. */
function truthOf<P extends string>(
  model: BuyingModel<P>,
  parameters: ParameterValues<P>,
  coefficients: Readonly<Record<string, number>>,
): CovariateFit<P> {
  const entries = Object.entries(coefficients).map(([name, estimate]) => {
    const [process, ...rest] = name.split(".") as ["purchase" | "dropout", ...string[]];
    const covariate = rest.at(-1) as string;
    const dropout = rest.length > 1 ? (rest[0] as string) : "beta";
    const parameter = process === "purchase" ? "alpha" : dropout;
    return [name, { process, covariate, parameter, estimate, standardError: 0, z: 0, pValue: 1 }];
  });
  return {
    ...model.fit(purchaseCells({ x: [0, 1, 3], recency: [0, 2, 5], age: [9, 9, 9] })),
    parameters,
    coefficients: Object.fromEntries(entries) as CovariateFit["coefficients"],
  };
}

/** A dummy with two values in turn and a continuous covariate. */
function twoCovariates(customers: number, random: Random): { group: number[]; income: number[] } {
  return {
    group: Array.from({ length: customers }, (_, i) => Number(i % 3 === 0)),
    income: Array.from({ length: customers }, () => drawNormal(random)),
  };
}

const pareto = { r: 0.8, alpha: 8, s: 0.7, beta: 12 };
const bg = { r: 0.7, alpha: 5, a: 0.8, b: 2.4 };

/**
 * The log-likelihood by the definition of the model, customer by customer, as a function of all parameters and
 * coefficients, and where the fit says its maximum is.
 */
function byDefinition(
  model: BuyingModel,
  { x, recency, age }: PurchaseHistories,
  covariates: Covariates,
  fit: CovariateFit,
): { readonly logLikelihood: (at: readonly number[]) => number; readonly estimates: number[] } {
  const customers = Array.from(x, (_, row) => ({
    values: valuesAt(covariates, row),
    objective: model.objective(
      purchaseCells({ x: [x[row] as number], recency: [recency[row] as number], age: [age[row] as number] }),
    ),
  }));
  const coefficients = Object.entries(fit.coefficients);
  const size = model.parameterNames.length;
  const scratch = new Float64Array(size);
  return {
    logLikelihood: (at) => {
      const moved: CovariateFit = {
        ...fit,
        parameters: Object.fromEntries(model.parameterNames.map((name, i) => [name, at[i] as number])),
        coefficients: Object.fromEntries(
          coefficients.map(([name, one], i) => [name, { ...one, estimate: at[size + i] as number }]),
        ),
      };
      return customers.reduce((sum, { values, objective }) => {
        const own = parametersFor(moved, values);
        return (
          sum +
          objective(
            Float64Array.from(model.parameterNames, (name) => own[name] as number),
            scratch,
          )
        );
      }, 0);
    },
    estimates: [
      ...model.parameterNames.map((name) => fit.parameters[name] as number),
      ...coefficients.map(([, { estimate }]) => estimate),
    ],
  };
}

describe("fitWithCovariates, against the likelihood of customers one by one", () => {
  const customers = 150;
  const { group, income } = twoCovariates(customers, randomSource(21));
  const covariates = { purchase: { group, income }, dropout: { group } };
  const purchase = { "purchase.group": 0.6, "purchase.income": 0.3 };
  const dropout = { "dropout.a.group": -0.3, "dropout.b.group": 0.4 };
  it.each([
    ["Pareto/NBD", paretoNbd, truthOf(paretoNbd, pareto, { ...purchase, "dropout.group": -0.5 })],
    ["BG/NBD", bgNbd, truthOf(bgNbd, bg, { ...purchase, ...dropout })],
    ["MBG/NBD", mbgNbd, truthOf(mbgNbd, bg, { ...purchase, ...dropout })],
  ] as [string, BuyingModel, CovariateFit][])("finds maximum and covariance of the %s", (_, model, truth) => {
    const histories = simulateWith(model, truth, covariates, customers, randomSource(23));
    const fit = fitWithCovariates(model, histories, covariates);
    expect(fit.identification.weak).toBe(false);
    const { logLikelihood, estimates } = byDefinition(model, histories, covariates, fit);
    expect(logLikelihood(estimates)).toBeCloseTo(fit.logLikelihood, 8);

    const errors = fit.covariance.map((row, i) => Math.sqrt(row[i] as number));
    /** Slope per standard error, by finite differences. */
    const slope = (at: readonly number[], i: number): number => {
      const moved = (share: number): number =>
        logLikelihood(at.map((value, j) => (i === j ? value + share * (errors[i] as number) : value)));
      const step = 1e-3;
      return (moved(step) - moved(-step)) / (2 * step);
    };
    for (const i of errors.keys()) expect(slope(estimates, i)).toBeCloseTo(0, 3);

    const inStandardErrors = (x: Float64Array, gradient: Float64Array): number => {
      const at = Array.from(x, (value, i) => (estimates[i] as number) + value * (errors[i] as number));
      for (const i of errors.keys()) gradient[i] = -slope(at, i);
      return -logLikelihood(at);
    };
    const inverse =
      invertSymmetric(
        hessianOf(
          inStandardErrors,
          errors.map(() => 0),
        ),
      ) ?? expect.fail();
    for (const [i, row] of fit.covariance.entries()) {
      for (const [j, value] of row.entries()) {
        const correlation = value / ((errors[i] as number) * (errors[j] as number));
        expect(inverse[i]?.[j]).toBeCloseTo(correlation, 2);
      }
    }
  });
});

describe("fitWithCovariates on simulated customers", () => {
  it.each([
    [
      "Pareto/NBD",
      paretoNbd,
      pareto,
      { "purchase.group": 0.7, "purchase.income": -0.3, "dropout.group": 0.8 },
    ],
    [
      "BG/NBD",
      bgNbd,
      bg,
      { "purchase.group": 0.7, "purchase.income": -0.3, "dropout.a.group": 0.5, "dropout.b.group": -0.4 },
    ],
    [
      "MBG/NBD",
      mbgNbd,
      bg,
      { "purchase.group": 0.7, "purchase.income": -0.3, "dropout.a.group": 0.5, "dropout.b.group": -0.4 },
    ],
  ] as [string, BuyingModel, ParameterValues, Record<string, number>][])(
    "recovers the coefficients of the %s, with errors that cover the truth",
    (_, model, parameters, coefficients) => {
      const seeds = 8;
      let inside = 0;
      const means: Record<string, number> = {};
      for (let seed = 1; seed <= seeds; seed++) {
        const random = randomSource(seed);
        const { group, income } = twoCovariates(400, random);
        const covariates = { purchase: { group, income }, dropout: { group } };
        const truth = truthOf(model, parameters, coefficients);
        const histories = simulateWith(model, truth, covariates, 400, random);
        const fit = fitWithCovariates(model, histories, covariates);
        expect(fit.converged).toBe(true);
        const { logLikelihood, estimates } = byDefinition(model, histories, covariates, truth);
        expect(fit.logLikelihood).toBeGreaterThan(logLikelihood(estimates)); // the maximum is above the truth
        for (const [name, value] of Object.entries(coefficients)) {
          const { estimate, standardError } = fit.coefficients[name] ?? expect.fail();
          const z = (estimate - value) / standardError;
          if (Math.abs(z) < 1.96) inside++;
          means[name] = (means[name] ?? 0) + z / Math.sqrt(seeds);
        }
      }
      // of 24 intervals of 95% fewer than 19 have a probability below 0.001 to be right, of 32 fewer than 26
      const all = seeds * Object.keys(coefficients).length;
      expect(inside).toBeGreaterThanOrEqual(all === 24 ? 19 : 26);
      for (const z of Object.values(means)) expect(Math.abs(z)).toBeLessThan(3.3);
    },
  );

  it("gives the likelihood-ratio test of a covariate that does nothing uniform p-values", () => {
    const sets = 200;
    const group = Array.from({ length: 150 }, (_, i) => i % 2);
    const pValues = Array.from({ length: sets }, (_, seed) => {
      const histories = bgNbd.simulate(bg, agesOf(150), randomSource(1000 + seed));
      const restricted = bgNbd.fit(purchaseCells(histories));
      const full = fitWithCovariates(bgNbd, histories, { purchase: { group } });
      return likelihoodRatioTest(restricted, full).pValue;
    }).sort((a, b) => a - b);
    const distance = Math.max(...pValues.map((p, i) => Math.max(p - i / sets, (i + 1) / sets - p)));
    expect(distance).toBeLessThan(1.63 / Math.sqrt(sets)); // Kolmogorov-Smirnov, 1%
  });

  it("takes a covariate that no two customers share", () => {
    const random = randomSource(4);
    const customers = 3000;
    const income = Array.from({ length: customers }, () => drawNormal(random));
    const truth = truthOf(bgNbd, bg, { "purchase.income": 0.4 });
    const histories = simulateWith(bgNbd, truth, { purchase: { income } }, customers, random);
    const fit = fitWithCovariates(bgNbd, histories, { purchase: { income } });
    const { estimate, standardError } = fit.coefficients["purchase.income"] ?? expect.fail();
    expect(Math.abs(estimate - 0.4) / standardError).toBeLessThan(3);
    expect(fit.evaluations).toBeLessThan(200);
  });
});

describe("laws of fitWithCovariates", () => {
  const random = randomSource(8);
  const customers = 400;
  const { group, income } = twoCovariates(customers, random);
  const truth = truthOf(bgNbd, bg, { "purchase.group": 0.5, "dropout.a.group": 0.5, "dropout.b.group": 0 });
  const covariates = { purchase: { group }, dropout: { group } };
  const histories = simulateWith(bgNbd, truth, covariates, customers, random);
  const cells = purchaseCells(histories);
  const fit = fitWithCovariates(bgNbd, histories, covariates);
  const membersOf = (value: number): PurchaseHistories => {
    const rows = group.flatMap((own, row) => (own === value ? [row] : []));
    const pick = (column: ArrayLike<number>): number[] => rows.map((row) => column[row] as number);
    return { x: pick(histories.x), recency: pick(histories.recency), age: pick(histories.age) };
  };

  it.each([bgNbd, mbgNbd, paretoNbd] as BuyingModel[])(
    "two groups told apart by a dummy fit between all as one and each alone: %#",
    (model) => {
      const pooled = model.fit(cells).logLikelihood;
      const separate = [0, 1].reduce(
        (sum, value) => sum + model.fit(purchaseCells(membersOf(value))).logLikelihood,
        0,
      );
      const together = fitWithCovariates(model, histories, covariates).logLikelihood;
      expect(together).toBeGreaterThan(pooled + 1);
      expect(together).toBeLessThan(separate + 1e-6);
    },
  );

  it("puts each of two groups at its own maximum, given what they share", () => {
    const all = fitWithCovariates(nbd, histories, { purchase: { group } });
    const { r } = all.parameters;
    for (const value of [0, 1]) {
      const { alpha } = parametersFor(all, { purchase: { group: value } });
      const gradient = new Float64Array(2);
      nbd.objective(purchaseCells(membersOf(value)))(Float64Array.of(r, alpha), gradient);
      expect((gradient[1] as number) * alpha).toBeCloseTo(0, 3); // each group's own alpha is at its maximum
    }
  });

  it("does not depend on the units or the zero of a covariate", () => {
    const shifted = { purchase: { income: income.map((value) => 50_000 + 10_000 * value) } };
    const plain = fitWithCovariates(bgNbd, histories, { purchase: { income } });
    const scaled = fitWithCovariates(bgNbd, histories, shifted);
    expect(scaled.logLikelihood).toBeCloseTo(plain.logLikelihood, 7);
    expect(scaled.identification.conditionNumber / plain.identification.conditionNumber).toBeCloseTo(1, 4);
    const [own, other] = [plain, scaled].map((one) => one.coefficients["purchase.income"]);
    expect(((other?.estimate ?? 0) * 10_000) / (own?.estimate ?? 0)).toBeCloseTo(1, 4);
    expect(((other?.standardError ?? 0) * 10_000) / (own?.standardError ?? 0)).toBeCloseTo(1, 4);
    expect(other?.pValue).toBeCloseTo(own?.pValue ?? 0, 5);
    const ofPlain = parametersFor(plain, { purchase: { income: 1.5 } });
    const ofScaled = parametersFor(scaled, { purchase: { income: 65_000 } });
    for (const name of bgNbd.parameterNames) expect(ofScaled[name] / ofPlain[name]).toBeCloseTo(1, 4);
  });

  it("counts a row of weight 2 as two customers", () => {
    const weight = group.map((_, row) => 1 + (row % 2));
    const rows = weight.flatMap((times, row) => new Array<number>(times).fill(row));
    const repeat = (column: ArrayLike<number>): number[] => rows.map((row) => column[row] as number);
    const twice = { x: repeat(histories.x), recency: repeat(histories.recency), age: repeat(histories.age) };
    const weighted = fitWithCovariates(bgNbd, { ...histories, weight }, { purchase: { group, income } });
    const repeated = fitWithCovariates(bgNbd, twice, {
      purchase: { group: repeat(group), income: repeat(income) },
    });
    expect(weighted.observations).toBe(600);
    expect(weighted.logLikelihood).toBeCloseTo(repeated.logLikelihood, 6);
    for (const [name, { estimate, standardError }] of Object.entries(weighted.coefficients)) {
      expect(repeated.coefficients[name]?.estimate).toBeCloseTo(estimate, 5);
      expect(repeated.coefficients[name]?.standardError).toBeCloseTo(standardError, 5);
    }
  });

  it("is frozen, survives JSON and names its coefficients", () => {
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    expect(Object.isFrozen(fit.coefficients["purchase.group"])).toBe(true);
    expect(Object.keys(fit.coefficients)).toEqual(["purchase.group", "dropout.a.group", "dropout.b.group"]);
    expect(fit).toMatchObject({ model: "BG/NBD", observations: customers });
    expect(informationCriteria(fit).parameters).toBe(7);
    expect(fit.covariance.length).toBe(7);
    const { estimate, standardError, z, pValue } = fit.coefficients["purchase.group"] ?? expect.fail();
    expect(z).toBe(estimate / standardError);
    expect(fit.covariance[4]?.[4]).toBeCloseTo(standardError ** 2, 10);
    expect(pValue > 0 && pValue < 1).toBe(true);
    const withPareto = fitWithCovariates(paretoNbd, histories, { dropout: { group } });
    expect(Object.keys(withPareto.coefficients)).toEqual(["dropout.group"]);
  });

  it("says of a group that never buys again that its coefficient is not determined", () => {
    const idle = [...group.map(() => 0), ...new Array<number>(100).fill(1)];
    const none = new Array<number>(100).fill(0);
    const extended = {
      x: [...Array.from(histories.x), ...none],
      recency: [...Array.from(histories.recency), ...none],
      age: [...Array.from(histories.age), ...new Array<number>(100).fill(30)],
    };
    const lost = fitWithCovariates(bgNbd, extended, { purchase: { idle } });
    expect(lost.identification.weak).toBe(true);
    expect(lost.identification.ridge).toContain("purchase.idle");
    expect(lost.coefficients["purchase.idle"]?.estimate).toBeLessThan(-5);
    expect(lost.coefficients["purchase.idle"]?.pValue).toBeGreaterThan(0.05);
  });
});

describe("parametersFor", () => {
  const fit = truthOf(paretoNbd, pareto, {
    "purchase.gender": 0.5,
    "purchase.age": -0.02,
    "dropout.gender": 0.7,
  });

  it("scales alpha and beta, so that predictions work unchanged", () => {
    // Fader & Hardie (2007), note 019: alpha exp(-gamma' z), beta exp(-delta' w)
    const own = parametersFor(fit, { purchase: { gender: 1, age: 40 }, dropout: { gender: 1 } });
    expect(own.alpha).toBeCloseTo(8 * Math.exp(-0.5 + 0.8), 12);
    expect(own.beta).toBeCloseTo(12 * Math.exp(-0.7), 12);
    expect(own).toMatchObject({ r: 0.8, s: 0.7 });
    const customer = { x: 3, recency: 20, age: 30 };
    expect(paretoNbd.expectedPurchases(own, customer, 10)).toBeGreaterThan(0);
  });

  it("scales a and b of the BG/NBD by their own coefficients", () => {
    const both = truthOf(bgNbd, bg, { "dropout.a.gender": 0.5, "dropout.b.gender": -0.25 });
    const own = parametersFor(both, { dropout: { gender: 2 } });
    expect(own).toEqual({ ...bg, a: 0.8 * Math.exp(1), b: 2.4 * Math.exp(-0.5) });
  });

  it("gives the parameters of the fit where all covariates are 0", () => {
    expect(parametersFor(fit, { purchase: { gender: 0, age: 0 }, dropout: { gender: 0 } })).toEqual(pareto);
  });

  it("refuses a missing, an unknown and an impossible covariate", () => {
    expect(() => parametersFor(fit, { purchase: { gender: 1, age: 40 } })).toThrow(
      new RangeError("covariate dropout.gender must be a finite number, got undefined"),
    );
    expect(() => parametersFor(fit, { purchase: { sex: 1 } })).toThrow(
      new RangeError("covariate purchase.sex must be one of the fit, which has none of that name"),
    );
    expect(() =>
      parametersFor(fit, { purchase: { gender: Number.NaN, age: 40 }, dropout: { gender: 1 } }),
    ).toThrow(new RangeError("covariate purchase.gender must be a finite number, got NaN"));
  });
});

describe("fitWithCovariates refuses", () => {
  const histories = { x: [0, 1, 2, 0, 3], recency: [0, 4, 8, 0, 7], age: [9, 9, 9, 9, 9] };
  const one = [0, 1, 0, 1, 1];
  const two = [3, 1, 4, 1, 5];
  const fitOf =
    (purchase: Record<string, readonly number[]>, dropout: Record<string, readonly number[]> = {}) =>
    () =>
      fitWithCovariates(bgNbd, histories, { purchase, dropout });

  it("a column that is constant, naming it", () => {
    expect(fitOf({ gender: [1, 1, 1, 1, 1] })).toThrow(
      new DataError("covariate purchase.gender must differ between customers, but is 1 for all"),
    );
    expect(fitOf({ one }, { rate: [0.1, 0.1, 0.1, 0.1, 0.1] })).toThrow(
      new DataError("covariate dropout.rate must differ between customers, but is 0.1 for all"),
    );
  });

  it("a column that follows from others, naming them", () => {
    const both = one.map((value, row) => 2 * value - 3 * (two[row] ?? 0) + 7);
    expect(fitOf({ one, two, both })).toThrow(
      new DataError("covariate purchase.both must not follow from others, but does from one, two"),
    );
    expect(fitOf({ two, one, no: one.map((value) => 1 - value) })).toThrow(
      new DataError("covariate purchase.no must not follow from others, but does from one"),
    );
  });

  it("a column of another length or with a value that is no number", () => {
    expect(fitOf({ one: [1, 0] })).toThrow(
      new DataError("covariate purchase.one must have as many rows as x, 5, got 2"),
    );
    expect(fitOf({ one: [0, 1, Number.NaN, 1, 0] })).toThrow(
      new DataError("covariate purchase.one row 2 must be a finite number, got NaN"),
    );
  });

  it("no columns, dropout without dropout, and a zero that is out of reach", () => {
    expect(fitOf({})).toThrow(new RangeError("covariates must have at least one column, got none"));
    expect(() => fitWithCovariates(nbd, histories, { dropout: { one } })).toThrow(
      new RangeError("dropout covariates need a model with dropout, which the NBD is not"),
    );
    const customers = 300;
    const year = agesOf(customers).map((_, i) => 2020 + (i % 2));
    const truth = truthOf(nbd, { r: 1, alpha: 5 }, { "purchase.early": 1 });
    const early = year.map((value) => value - 2020);
    const bought = simulateWith(nbd, truth, { purchase: { early } }, customers, randomSource(2));
    expect(() => fitWithCovariates(nbd, bought, { purchase: { year } })).toThrow(
      new DataError(
        "covariates must not be so far from 0 that alpha at 0 is no number: subtract the means of purchase.year",
      ),
    );
  });
});
