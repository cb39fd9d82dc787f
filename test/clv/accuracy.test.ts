import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ForecastAccuracy,
  forecastAccuracy,
  forecastScorer,
  gainsCurve,
  predictionDeciles,
} from "../../src/clv/accuracy.js";
import { bgNbd, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { type Forecaster, modelForecaster, ownPastRate } from "../../src/clv/heuristics.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { type HoldoutData, holdoutFromTable } from "../../src/clv/tournament.js";
import { cdnowSkip, cdnowSummary, hasCdnow } from "./cdnow.js";

describe.skipIf(!hasCdnow)(`forecasts of CDNOW's holdout period${cdnowSkip}`, () => {
  let loaded: HoldoutData | undefined;
  const data = (): HoldoutData => (loaded ??= holdoutFromTable(cdnowSummary(), 39));
  const predict = (forecaster: Forecaster): Float64Array => forecaster.predict(data().customers, 39);
  const forecastOf = (model: BuyingModel): Float64Array =>
    predict(modelForecaster(model, model.fit(purchaseCells(data().customers)).parameters));

  // Computed with BTYD and BTYDplus for 2,357 customers, 39 weeks and 1,882 purchases; customers with the same prediction in
  // the order of their master numbers. BTYD's Pareto/NBD stops near the maximum: the sum is at its own estimates.
  const btyd = { r: 0.5533956, alpha: 10.5801289, s: 0.6060364, beta: 11.6554051 };
  it.each([
    {
      model: nbd,
      sum: 2929.8,
      mae: 1.041,
      rmse: 1.8595,
      msle: 0.3622,
      gini: 0.6801,
      lift: 4.574,
      share: 45.8,
    },
    {
      model: paretoNbd,
      sum: 1665.4,
      mae: 0.7545,
      rmse: 1.6028,
      msle: 0.2377,
      gini: 0.6726,
      lift: 4.734,
      share: 47.4,
    },
    {
      model: bgNbd,
      sum: 1653.4,
      mae: 0.7855,
      rmse: 1.608,
      msle: 0.2343,
      gini: 0.6624,
      lift: 4.696,
      share: 47,
    },
    {
      model: mbgNbd,
      sum: 1576.7,
      mae: 0.7648,
      rmse: 1.6072,
      msle: 0.2314,
      gini: 0.6635,
      lift: 4.765,
      share: 47.7,
    },
  ])("scores $model.name as computed elsewhere", ({ model, sum, ...expected }) => {
    const predicted = model === paretoNbd ? predict(modelForecaster(paretoNbd, btyd)) : forecastOf(model);
    const ours = forecastAccuracy(predicted, data().actual, { ties: "file order" });
    expect(predicted.reduce((total, value) => total + value)).toBeCloseTo(sum, 1);
    expect(ours.bias).toBeCloseTo(sum / 1882 - 1, 4);
    expect(ours.mae).toBeCloseTo(expected.mae, 4);
    expect(ours.rmse).toBeCloseTo(expected.rmse, 4);
    expect(ours.msle).toBeCloseTo(expected.msle, 4);
    expect(ours.gini).toBeCloseTo(expected.gini, 4);
    expect(ours.topDecileLift).toBeCloseTo(expected.lift, 3);
    expect(100 * ours.topDecileShare).toBeCloseTo(expected.share, 1);
  });

  it("scores the own past rate as computed elsewhere", () => {
    const ours = forecastAccuracy(predict(ownPastRate), data().actual, { ties: "file order" });
    expect(ours.mae).toBeCloseTo(1.0237, 4);
    expect(ours.rmse).toBeCloseTo(2.2119, 4);
    expect(ours.bias).toBeCloseTo(0.557, 3);
    expect(ours.gini).toBeCloseTo(0.6556, 4);
    expect(ours.topDecileLift).toBeCloseTo(4.574, 3);
  });

  it("correlates predictions with what happened as published", () => {
    // Fader, Hardie & Lee (2005), Marketing Science 24(2), table 3: .626 (BG/NBD), .630 (Pareto/NBD), .996 between them.
    const correlation = (p: Float64Array, q: ArrayLike<number>): number => {
      const forth = forecastAccuracy(p, q).calibrationSlope;
      const back = forecastAccuracy(Float64Array.from(q), p).calibrationSlope;
      return Math.sqrt(forth * back);
    };
    const [bg, pareto] = [forecastOf(bgNbd), forecastOf(paretoNbd)];
    expect(correlation(bg, data().actual)).toBeCloseTo(0.626, 3);
    expect(correlation(pareto, data().actual)).toBeCloseTo(0.63, 3);
    expect(correlation(bg, pareto)).toBeCloseTo(0.996, 3);
  });

  it("shows how far the Gini of a rule with many ties depends on the order of the file", () => {
    const { actual } = data();
    const backwards = <T>(values: ArrayLike<T>): T[] => Array.from(values).reverse();
    const predicted = predict(ownPastRate).map((value) => Math.round(value * 1e9) / 1e9); // no ties by rounding
    const gini = (p: ArrayLike<number>, a: ArrayLike<number>, ties: "average" | "file order"): number =>
      forecastAccuracy(p, a, { ties }).gini;
    const [file, reversed] = [
      gini(predicted, actual, "file order"),
      gini(backwards(predicted), backwards(actual), "file order"),
    ];
    const average = gini(predicted, actual, "average");
    expect((file + reversed) / 2).toBeCloseTo(average, 12); // an order and its reverse lie evenly about the mean
    expect(reversed - file).toBeGreaterThan(0.02);
    expect(gini(backwards(predicted), backwards(actual), "average")).toBeCloseTo(average, 12);
  });
});

/** Purchases to four decimals: predictions that differ by rounding alone are another test. */
const predictions = fc.nat(500_000).map((value) => value / 10_000);
const counts = fc.nat(20);
/** Customers with a prediction, a count that differs between them and a whole weight. */
const customers = fc
  .array(fc.record({ p: predictions, a: counts, w: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 2,
    maxLength: 40,
  })
  .filter((rows) => new Set(rows.map(({ a }) => a)).size > 1);
/** The same with few distinct predictions. */
const tied = customers.map((rows) => rows.map((row) => ({ ...row, p: Math.floor(row.p / 20) })));

type Row = { readonly p: number; readonly a: number; readonly w: number };
const accuracyOf = (rows: readonly Row[], options = {}): ForecastAccuracy =>
  forecastAccuracy(
    rows.map(({ p }) => p),
    rows.map(({ a }) => a),
    options,
  );
const expectEqual = (ours: ForecastAccuracy, other: ForecastAccuracy): void => {
  for (const [name, value] of Object.entries(ours) as [keyof ForecastAccuracy, number][]) {
    expect(Math.abs(value - other[name]), name).toBeLessThan(1e-9 * Math.max(1, Math.abs(value)));
  }
};

describe("laws of forecast accuracy", () => {
  it("is perfect where the prediction is the truth", () => {
    fc.assert(
      fc.property(customers, (rows) => {
        const ours = accuracyOf(rows.map((row) => ({ ...row, p: row.a })));
        expect([ours.mae, ours.rmse, ours.msle]).toEqual([0, 0, 0]);
        expect(ours.bias).toBeCloseTo(0, 12);
        expect(ours.gini).toBeCloseTo(1, 12);
        expect(ours.spearman).toBeCloseTo(1, 12);
        expect(ours.calibrationSlope).toBeCloseTo(1, 12);
        expect(ours.calibrationIntercept).toBeCloseTo(0, 10);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("finds no order where all predictions are equal", () => {
    fc.assert(
      fc.property(customers, predictions, (rows, p) => {
        const ours = accuracyOf(rows.map((row) => ({ ...row, p })));
        expect(ours.gini).toBeCloseTo(0, 12);
        expect(ours.topDecileLift).toBeCloseTo(1, 12);
        expect([ours.calibrationSlope, ours.spearman]).toEqual([0, 0]);
        const mean = rows.reduce((sum, { a }) => sum + a, 0) / rows.length;
        expect(ours.calibrationIntercept).toBeCloseTo(mean, 10);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("does not depend on the order of the customers, ties or not", () => {
    fc.assert(
      fc.property(fc.oneof(customers, tied), (rows) => {
        expectEqual(accuracyOf(rows), accuracyOf([...rows].reverse()));
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("takes a weight for as many customers", () => {
    fc.assert(
      fc.property(fc.oneof(customers, tied), (rows) => {
        const repeated = rows.flatMap((row) => Array.from({ length: row.w }, () => row));
        expectEqual(accuracyOf(rows, { weights: rows.map(({ w }) => w) }), accuracyOf(repeated));
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it("averages the file order's Gini and top decile over all orders of the ties", () => {
    const rows = [
      { p: 2, a: 3, w: 1 },
      { p: 2, a: 0, w: 1 },
      { p: 2, a: 1, w: 1 },
      { p: 1, a: 2, w: 1 },
      { p: 0, a: 0, w: 1 },
    ];
    const [first, second, third, ...rest] = rows as [Row, Row, Row, ...Row[]];
    const orders = [
      [first, second, third],
      [first, third, second],
      [second, first, third],
      [second, third, first],
      [third, first, second],
      [third, second, first],
    ].map((head) => accuracyOf([...head, ...rest], { ties: "file order" }));
    const average = accuracyOf(rows);
    for (const name of ["gini", "topDecileMean", "topDecileShare"] as const) {
      const mean = orders.reduce((sum, ours) => sum + ours[name], 0) / orders.length;
      expect(average[name], name).toBeCloseTo(mean, 12);
    }
    expect(orders[0]?.topDecileMean).toBe(3);
    expect(orders[2]?.topDecileMean).toBe(0);
  });

  it("keeps its order measures when predictions are stretched, and its slope when customers are shifted", () => {
    fc.assert(
      fc.property(customers, fc.double({ min: 0.1, max: 10, noNaN: true }), (rows, factor) => {
        const ours = accuracyOf(rows);
        const stretched = accuracyOf(rows.map((row) => ({ ...row, p: row.p * factor })));
        expect(stretched.gini).toBeCloseTo(ours.gini, 9);
        expect(stretched.spearman).toBeCloseTo(ours.spearman, 9);
        expect(stretched.bias + 1).toBeCloseTo((ours.bias + 1) * factor, 9);
        expect(stretched.calibrationSlope * factor).toBeCloseTo(ours.calibrationSlope, 6);
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it("takes predictions that differ by rounding alone for ties", () => {
    const [sum, three] = [0.1 + 0.2, 0.3];
    expect(sum).not.toBe(three);
    const ours = forecastAccuracy([sum, three, 0], [0, 2, 0]);
    expect(ours.gini).toBeCloseTo(forecastAccuracy([three, three, 0], [0, 2, 0]).gini, 15);
    expect(ours.topDecileMean).toBe(1);
  });

  it("has no slope where predictions differ by rounding alone", () => {
    expect(forecastAccuracy([0, 5e-324], [0, 1]).calibrationSlope).toBe(0);
    expect(forecastAccuracy([1e6, 1e6 + 2e-10], [0, 1]).calibrationSlope).toBe(0);
  });

  it("computes a small example by hand", () => {
    const ours = forecastAccuracy([3, 0, 1, 0], [2, 0, 2, 0]);
    expect(ours.mae).toBe(0.5);
    expect(ours.rmse).toBeCloseTo(Math.SQRT1_2, 15);
    expect(ours.msle).toBeCloseTo((Math.log(4 / 3) ** 2 + Math.log(3 / 2) ** 2) / 4, 15);
    expect(ours.bias).toBe(0);
    expect(ours.gini).toBe(1);
    expect([ours.topDecileMean, ours.topDecileLift, ours.topDecileShare]).toEqual([2, 2, 0.5]); // one customer
    expect(ours.calibrationSlope).toBeCloseTo(4 / 6, 15); // 4 = sum of (p - 1)(a - 1), 6 = sum of (p - 1)^2
    expect(ours.calibrationIntercept).toBeCloseTo(1 / 3, 15);
    expect(ours.spearman).toBeCloseTo(4 / Math.sqrt(4.5 * 4), 15); // ranks 4 1.5 3 1.5 and 3.5 1.5 3.5 1.5
  });

  it.each([
    [[1], [1, 2], {}, "predicted must have one value for each of 2 customers, got 1"],
    [[], [], {}, "actual must have at least one customer, got none"],
    [[1, -1], [1, 2], {}, "predicted of customer 2 must be a number from 0 up, got -1"],
    [[1, 1], [1, Number.NaN], {}, "actual of customer 2 must be a number from 0 up, got NaN"],
    [[1, 2], [1, 2], { weights: [1] }, "weights must have one value for each of 2 customers, got 1"],
    [[1, 2], [1, 2], { weights: [1, -2] }, "weights of customer 2 must be a number from 0 up, got -2"],
    [[1, 2], [2, 2], {}, "actual must differ between customers, got the same number of purchases for all"],
    [[1, 2], [0, 0], {}, "actual must differ between customers, got the same number of purchases for all"],
  ])("refuses %j against %j", (predicted, actual, options, message) => {
    expect(() => forecastAccuracy(predicted, actual, options)).toThrow(message);
  });

  it("refuses a resample without differences", () => {
    expect(() => forecastScorer([1, 2], [1, 2])([2, 0])).toThrow("actual must differ between customers");
  });
});

describe("deciles of predictions", () => {
  it("holds equal groups from the highest prediction, their means and what they add up to", () => {
    const rows = predictionDeciles([1, 9, 5, 3, 7], [0, 4, 2, 1, 1], { groups: 2 }).objects();
    expect(rows).toEqual([
      { decile: 1, customers: 2, predicted: 8, actual: 2.5, lift: 2.5 / 1.6, cumulative_share: 5 / 8 },
      { decile: 2, customers: 3, predicted: 3, actual: 1, lift: 1 / 1.6, cumulative_share: 1 },
    ]);
  });

  it("gives customers with the same prediction their mean, unless the file decides", () => {
    const actual = (ties: "average" | "file order"): number[] =>
      predictionDeciles([1, 1, 1, 1], [3, 0, 1, 0], { groups: 2, ties }).array("actual") as number[];
    expect(actual("average")).toEqual([1, 1]);
    expect(actual("file order")).toEqual([1.5, 0.5]);
  });

  it("needs as many customers as groups, and a purchase", () => {
    expect(() => predictionDeciles([1, 2], [1, 2])).toThrow(
      "groups must be a whole number from 1 to 2 (the customers), got 10",
    );
    expect(() => predictionDeciles([1, 2], [0, 0], { groups: 2 })).toThrow(
      "actual must be above 0 for at least one customer, got 0 for all",
    );
  });
});

describe("gains curve", () => {
  it("runs from 0 to 1 with the area that the Gini measures", () => {
    fc.assert(
      fc.property(fc.oneof(customers, tied), (rows) => {
        const actual = rows.map(({ a }) => a);
        const gains = gainsCurve({ model: rows.map(({ p }) => p) }, actual, { points: rows.length });
        const area = (name: string): number => {
          const y = gains.array(name) as number[];
          expect([y[0], y.at(-1)]).toEqual([0, 1]);
          return y.slice(1).reduce((sum, value, i) => sum + (value + (y[i] ?? 0)) / 2, 0) / rows.length - 0.5;
        };
        expect(area("model") / area("perfect")).toBeCloseTo(accuracyOf(rows).gini, 9);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("interpolates between customers", () => {
    const gains = gainsCurve({ rule: [0, 1] }, [1, 3], { points: 4 });
    expect(gains.objects()).toEqual([
      { customers: 0, perfect: 0, rule: 0 },
      { customers: 0.25, perfect: 0.375, rule: 0.375 },
      { customers: 0.5, perfect: 0.75, rule: 0.75 },
      { customers: 0.75, perfect: 0.875, rule: 0.875 },
      { customers: 1, perfect: 1, rule: 1 },
    ]);
    expect(() => gainsCurve({}, [1, 3], { points: 0 })).toThrow(
      "points must be a whole number from 1 up, got 0",
    );
  });
});
