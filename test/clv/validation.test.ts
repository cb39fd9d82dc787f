import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { bgNbd, mbgCnbdK, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { modelForecaster } from "../../src/clv/heuristics.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { holdoutFromTable } from "../../src/clv/tournament.js";
import {
  actualTracking,
  aliveHistory,
  calibrationHistogram,
  type FittedModel,
  frequencyRecencyMatrix,
  heterogeneity,
  holdoutByFrequency,
  probabilityAliveMatrix,
  trackingTable,
  trackPurchases,
} from "../../src/clv/validation.js";
import { randomSource } from "../../src/numeric/random.js";
import { cdnowLog, cdnowSkip, cdnowSummary, hasCdnow } from "./cdnow.js";

/** Maximum likelihood estimates for CDNOW: CLVTools (BG/NBD), lifetimes (Pareto/NBD). */
const bgParameters = { r: 0.2425945, alpha: 4.4136019, a: 0.7929199, b: 2.4258881 };
const paretoParameters = { r: 0.553277, alpha: 10.577683, s: 0.60624, beta: 11.668731 };
const fitted: readonly FittedModel[] = [
  { model: paretoNbd, parameters: paretoParameters },
  { model: bgNbd, parameters: bgParameters },
];
const closeTo = (ours: readonly unknown[], published: readonly number[], digits: number): void => {
  expect(ours).toHaveLength(published.length);
  for (const [row, value] of published.entries()) expect(ours[row]).toBeCloseTo(value, digits);
};

describe.skipIf(!hasCdnow)(`figures of CDNOW${cdnowSkip}`, () => {
  it("fits the calibration histogram as published", () => {
    // Fader, Hardie & Lee (2005), Marketing Science 24(2): chi-square 4.82 (BG/NBD), 11.99 (Pareto/NBD).
    const { customers } = holdoutFromTable(cdnowSummary(), 39);
    const histogram = calibrationHistogram(fitted, purchaseCells(customers));
    expect(histogram.array("purchases")).toEqual(["0", "1", "2", "3", "4", "5", "6", "7+"]);
    const actual = Array.from(histogram.array("actual") as Float64Array);
    expect(actual).toEqual([1411, 439, 214, 100, 62, 38, 29, 64]);
    const chiSquare = (name: string): number =>
      Array.from(histogram.array(name) as Float64Array).reduce(
        (sum, expected, place) => sum + ((actual[place] ?? 0) - expected) ** 2 / expected,
        0,
      );
    expect(chiSquare("BG/NBD")).toBeCloseTo(4.82, 2);
    expect(chiSquare("Pareto/NBD")).toBeCloseTo(11.99, 2);
  });

  it("gives the published holdout means by calibration purchases", () => {
    // BTYD walkthrough, Dziurzynski, Wadsworth & McCarthy (2014). Its estimates are printed with too few digits for the last
    // one of these means: BG/NBD is held to one digit less, Pareto/NBD to one unit of the last.
    const { customers, actual } = holdoutFromTable(cdnowSummary(), 39);
    const means = holdoutByFrequency(customers.x, actual, {
      "Pareto/NBD": modelForecaster(paretoNbd, paretoParameters).predict(customers, 39),
      "BG/NBD": modelForecaster(bgNbd, bgParameters).predict(customers, 39),
    });
    expect(means.array("customers")).toEqual([1411, 439, 214, 100, 62, 38, 29, 64]);
    closeTo(Array.from(means.array("actual")), [0.237, 0.697, 1.393, 1.56, 2.532, 2.947, 3.862, 6.359], 3);
    closeTo(
      Array.from(means.array("BG/NBD")),
      [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.504, 6.157],
      3,
    );
    for (const [row, value] of [0.138, 0.6, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403].entries()) {
      expect(Math.abs((means.get("Pareto/NBD", row) as number) - value)).toBeLessThan(0.001);
    }
  });

  it("tracks repeat purchases as published, week 1 beginning on the first day of the first customer", () => {
    // BTYD walkthrough, weeks 20-25; Pareto/NBD with one digit less for the same reason.
    const options = { end: "1997-09-30", until: "1998-06-30", unit: "weeks" } as const;
    const weeks = (values: Iterable<unknown>): unknown[] => [...values].slice(19, 25);
    const incremental = trackingTable(cdnowLog(), fitted, { ...options, cumulative: false });
    const cumulative = trackingTable(cdnowLog(), fitted, { ...options, cumulative: true });
    expect(incremental.numRows()).toBe(78);
    expect(weeks(incremental.array("time"))).toEqual([20, 21, 22, 23, 24, 25]);
    expect(weeks(incremental.array("actual"))).toEqual([73, 55, 70, 33, 56, 99]);
    expect(weeks(cumulative.array("actual"))).toEqual([1359, 1414, 1484, 1517, 1573, 1672]);
    closeTo(weeks(incremental.array("BG/NBD")), [76.865, 74.888, 73.046, 71.322, 69.704, 68.182], 3);
    closeTo(weeks(incremental.array("Pareto/NBD")), [78.308, 76.419, 74.648, 72.983, 71.414, 69.933], 2);
    const totals = [1308.856, 1385.275, 1459.923, 1532.906, 1604.32, 1674.253];
    const ours = weeks(cumulative.array("Pareto/NBD")) as number[];
    closeTo(
      ours.map((sum, week) => sum / (totals[week] ?? 0)),
      totals.map(() => 1),
      4,
    );
  });
});

describe("calibration histogram", () => {
  it("expects as many customers as there are, weights counted", () => {
    const cells = purchaseCells({ x: [0, 1, 9], recency: [0, 2, 9], age: [5, 5, 10], weight: [10, 4, 1] });
    const histogram = calibrationHistogram([{ model: nbd, parameters: { r: 1, alpha: 5 } }], cells, 2);
    expect(histogram.array("purchases")).toEqual(["0", "1", "2+"]);
    expect([...histogram.array("actual")]).toEqual([10, 4, 1]);
    // NBD with r = 1 is geometric: P(0) = alpha / (alpha + T): 1/2 for the 14 of age 5, 1/3 for the one of age 10.
    closeTo([...histogram.array("NBD")], [14 / 2 + 1 / 3, 14 / 4 + 2 / 9, 14 / 4 + 4 / 9], 12);
    expect(() => calibrationHistogram([], cells, 0)).toThrow("max must be a whole number from 1 up, got 0");
  });

  it("agrees with simulated customers under every model", () => {
    const models: readonly FittedModel[] = [
      { model: bgNbd, parameters: { r: 1, alpha: 8, a: 1, b: 3 } },
      { model: mbgNbd, parameters: { r: 1, alpha: 8, a: 1, b: 3 } },
      { model: mbgCnbdK(2), parameters: { r: 1, alpha: 4, a: 1, b: 3 } },
      { model: paretoNbd, parameters: { r: 1, alpha: 8, s: 1, beta: 20 } },
    ];
    const ages = Float64Array.from({ length: 20_000 }, (_, row) => 10 + (row % 20));
    for (const one of models) {
      const drawn = one.model.simulate(one.parameters, ages, randomSource(3));
      const histogram = calibrationHistogram([one], purchaseCells(drawn), 5);
      const [actual, expected] = [
        histogram.array("actual"),
        histogram.array(one.model.name),
      ] as Float64Array[];
      const chiSquare = expected?.reduce(
        (sum, value, place) => sum + ((actual?.[place] ?? 0) - value) ** 2 / value,
        0,
      );
      expect(chiSquare, one.model.name).toBeLessThan(15.09); // 1 % of chi-square with 5 degrees of freedom
    }
  });
});

describe("holdout purchases by frequency", () => {
  it("leaves out numbers that nobody made", () => {
    const means = holdoutByFrequency([0, 0, 2, 5], [1, 0, 3, 4], { rule: [1, 1, 2, 8] }, 3);
    expect(means.objects()).toEqual([
      { purchases: "0", customers: 2, actual: 0.5, rule: 1 },
      { purchases: "2", customers: 1, actual: 3, rule: 2 },
      { purchases: "3+", customers: 1, actual: 4, rule: 8 },
    ]);
    expect(() => holdoutByFrequency([0, 1], [1, 2], { rule: [1] })).toThrow(
      "rule must have one value for each of 2 customers, got 1",
    );
  });
});

const log = table({
  customer_key: [1, 1, 1, 1, 2, 2, 3],
  ordered_on: [
    "2025-01-01",
    "2025-01-07",
    "2025-01-07",
    "2025-01-08",
    "2025-01-03",
    "2025-01-20",
    "2025-01-10",
  ],
  amount: [1, 1, 1, 1, 1, 1, 1],
});

describe("tracking", () => {
  it("counts repeat purchase days of the base by whole weeks", () => {
    const options = { end: "2025-01-05", until: "2025-01-21", unit: "weeks" } as const;
    expect(actualTracking(log, options)).toEqual({
      time: [1, 2, 3],
      incremental: [1, 1, 1],
      cumulative: [1, 2, 3],
    });
    // A week that is not over by the last day is left out.
    expect(actualTracking(log, { ...options, until: "2025-01-20" }).time).toEqual([1, 2]);
    expect(actualTracking(log, { ...options, unit: "days", step: 10 })).toEqual({
      time: [10, 20],
      incremental: [2, 1],
      cumulative: [2, 3],
    });
  });

  it("adds up new customers, each from the own first purchase on", () => {
    const expected = (since: number): number =>
      bgNbd.expectedPurchases(bgParameters, { x: 0, recency: 0, age: 0 }, since);
    const { time, incremental, cumulative } = trackPurchases(
      bgNbd,
      bgParameters,
      { age: [10, 7.5], weight: [2, 3] },
      { until: 12, step: 4 },
    );
    expect(time).toEqual([4, 8, 12]);
    closeTo(
      cumulative,
      [4, 8, 12].map((t) => 2 * expected(t) + 3 * expected(t - 2.5)),
      12,
    );
    expect(incremental.reduce((sum, value) => sum + value)).toBeCloseTo(cumulative[2] ?? 0, 12);
    const early = trackPurchases(bgNbd, bgParameters, { age: [10, 7.5] }, { until: 2 });
    expect(early.cumulative[1]).toBe(expected(2)); // the second customer is not there yet
  });

  it("does not depend on the unit", () => {
    const inWeeks = trackPurchases(bgNbd, bgParameters, { age: [10, 4] }, { until: 6 });
    const days = { ...bgParameters, alpha: bgParameters.alpha * 7 };
    const inDays = trackPurchases(bgNbd, days, { age: [70, 28] }, { until: 42, step: 7 });
    closeTo(inDays.cumulative, inWeeks.cumulative, 12);
  });

  it("says what is not possible", () => {
    const options = { end: "2025-01-05", until: "2025-01-21", unit: "weeks" } as const;
    expect(() => actualTracking(log, { ...options, until: "2025-01-05" })).toThrow(
      "until must be a number from the step 1 up, got 0.7142857142857143",
    );
    expect(() => actualTracking(log, { ...options, step: 0.5 })).toThrow(
      "step must be a whole number of days above 0, got 0.5 weeks",
    );
    expect(() => actualTracking(log, { ...options, end: "2024-12-31" })).toThrow(
      "purchases: nobody bought up to the end, 2024-12-31",
    );
    expect(() => trackPurchases(bgNbd, bgParameters, { age: [1] }, { until: 5, step: 0 })).toThrow(
      "step must be a number above 0, got 0",
    );
  });
});

describe("P(alive) of one customer over time", () => {
  const history = aliveHistory(bgNbd, bgParameters, [100, 104, 106], { until: 10, step: 2.5, unit: "weeks" });

  it("is computed from what was known at each time", () => {
    expect(history.time).toEqual([0, 2.5, 4, 5, 6, 7.5, 10]);
    expect(history.purchases).toEqual([0, 4, 6]);
    const known = [
      { x: 0, recency: 0, age: 2.5 },
      { x: 1, recency: 4, age: 4 },
      { x: 1, recency: 4, age: 5 },
      { x: 2, recency: 6, age: 6 },
      { x: 2, recency: 6, age: 7.5 },
      { x: 2, recency: 6, age: 10 },
    ];
    for (const [place, customer] of known.entries()) {
      expect(history.alive[place + 1]).toBe(bgNbd.probabilityAlive(bgParameters, customer));
    }
    expect(history.alive.slice(0, 2)).toEqual([1, 1]); // a BG/NBD customer cannot drop out before the first repeat purchase
    expect(history.alive[6]).toBeLessThan(history.alive[5] ?? 0);
  });

  it("refuses purchases that are not in order or come too late", () => {
    const of = (times: readonly number[]): unknown =>
      aliveHistory(bgNbd, bgParameters, times, { until: 5, unit: "weeks" });
    expect(() => of([0, 2, 2])).toThrow("purchaseTimes must rise, up to 5 after the first, got 0, 2, 2");
    expect(() => of([0, 6])).toThrow("purchaseTimes must rise, up to 5 after the first, got 0, 6");
    expect(() => of([])).toThrow("purchaseTimes must hold at least the first purchase, got none");
  });
});

describe("matrices over purchases and recency", () => {
  const options = { age: 39, maxX: 4, unit: "weeks", steps: 3 } as const;

  it("holds the model's value where a customer is possible, null elsewhere", () => {
    const matrix = frequencyRecencyMatrix(bgNbd, bgParameters, { ...options, horizon: 52 });
    expect(matrix.x).toEqual([0, 1, 2, 3, 4]);
    expect(matrix.recency).toEqual([0, 13, 26, 39]);
    expect(matrix.values[0]?.slice(1)).toEqual([null, null, null, null]);
    expect(matrix.values.slice(1).map(([none]) => none)).toEqual([null, null, null]);
    expect([matrix.horizon, matrix.unit]).toEqual([52, "weeks"]);
    expect(matrix.values[2]?.[3]).toBe(
      bgNbd.expectedPurchases(bgParameters, { x: 3, recency: 26, age: 39 }, 52),
    );
  });

  it("shows P(alive) rising with recency", () => {
    const { values } = probabilityAliveMatrix(paretoNbd, paretoParameters, options);
    const chances = values.slice(1).map((row) => row[4] as number);
    expect(chances).toEqual([...chances].sort((p, q) => p - q));
    expect(values[0]?.[0]).toBe(paretoNbd.probabilityAlive(paretoParameters, { x: 0, recency: 0, age: 39 }));
  });

  it("says what is not possible", () => {
    expect(() => probabilityAliveMatrix(bgNbd, bgParameters, { ...options, maxX: 0 })).toThrow(
      "maxX must be a whole number from 1 up, got 0",
    );
    expect(() => probabilityAliveMatrix(bgNbd, bgParameters, { ...options, age: 0 })).toThrow(
      "age must be a number above 0, got 0",
    );
  });
});

describe("how unlike customers are", () => {
  const mass = ({ x, density }: { x: readonly number[]; density: readonly number[] }): number =>
    density.reduce((sum, value) => sum + value, 0) * ((x[1] ?? 0) - (x[0] ?? 0));
  const center = ({ x, density }: { x: readonly number[]; density: readonly number[] }): number =>
    density.reduce((sum, value, place) => sum + value * (x[place] ?? 0), 0) * ((x[1] ?? 0) - (x[0] ?? 0));

  it("gives densities that integrate to 1 around their means", () => {
    const smooth = { r: 3, alpha: 20, a: 2, b: 5 };
    const [buying, dropout] = heterogeneity(bgNbd, smooth, { unit: "weeks", points: 2000 });
    if (!buying || !dropout) throw new Error("two traits are expected");
    expect([buying.name, buying.unit, dropout.name, dropout.unit]).toEqual([
      "buying rate",
      "purchases per week",
      "dropout probability",
      undefined,
    ]);
    expect([buying.mean, dropout.mean]).toEqual([3 / 20, 2 / 7]);
    expect(mass(buying)).toBeCloseTo(1, 2); // the rest lies beyond four standard deviations
    expect(mass(dropout)).toBeCloseTo(1, 5);
    expect(center(dropout)).toBeCloseTo(2 / 7, 5);
    // Beta(2, 5) by hand: 30 p (1 - p)^4.
    const [p = 0, density = 0] = [dropout.x[700], dropout.density[700]];
    expect(density).toBeCloseTo(30 * p * (1 - p) ** 4, 10);
  });

  it("names the traits of each model", () => {
    const names = (model: BuyingModel, parameters: Readonly<Record<string, number>>): string[] =>
      heterogeneity(model, parameters, { unit: "days" }).map(({ name }) => name);
    expect(names(nbd as BuyingModel, { r: 1, alpha: 2 })).toEqual(["buying rate"]);
    expect(names(paretoNbd as BuyingModel, paretoParameters)).toEqual(["buying rate", "dropout rate"]);
    for (const { density } of heterogeneity(paretoNbd, paretoParameters, { unit: "weeks" })) {
      expect(density.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    }
  });

  it("counts purchases, not the stages of regular gaps", () => {
    const model = mbgCnbdK(3);
    const parameters = { r: 3, alpha: 20, a: 2, b: 5 };
    const [buying] = heterogeneity(model, parameters, { unit: "weeks" });
    const newcomer = model.customerRates(parameters, { x: 0, recency: 0, age: 0 });
    expect(buying?.mean).toBeCloseTo(newcomer.purchaseRate, 12);
  });

  it("says what is not possible", () => {
    expect(() => heterogeneity(bgNbd, { ...bgParameters, r: -1 }, { unit: "weeks" })).toThrow(
      "parameter r must be a number above 0, got -1",
    );
    expect(() => heterogeneity(bgNbd, bgParameters, { unit: "weeks", points: 0 })).toThrow(
      "points must be a whole number from 1 up, got 0",
    );
  });
});
