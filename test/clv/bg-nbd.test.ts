import { existsSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BgNbdParameters,
  bgCnbdK,
  bgNbdExpectedPurchases,
  bgNbdLogLikelihood,
  bgNbdNewCustomerPurchases,
  bgNbdProbabilityAlive,
  bgNbdPurchaseDistribution,
  fitBgCnbdK,
  fitBgNbd,
  fitMbgCnbdK,
  fitMbgNbd,
  mbgCnbdK,
  mbgNbdExpectedPurchases,
  mbgNbdLogLikelihood,
  mbgNbdNewCustomerPurchases,
  mbgNbdProbabilityAlive,
  mbgNbdPurchaseDistribution,
  purchaseRegularity,
  simulateBgNbd,
  simulateMbgNbd,
} from "../../src/clv/bg-nbd.js";
import { type PurchaseCells, purchaseCells } from "../../src/clv/cells.js";
import { checkGradient } from "../../src/numeric/derivatives.js";
import { onLogScale } from "../../src/numeric/log-scale.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawGamma } from "../../src/numeric/sampling.js";
import { referenceDir, referenceTable } from "../reference/case.js";

// Fader, Hardie & Lee (2005), Marketing Science 24(2), table 2: CDNOW, time in weeks.
const paper = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
const relative = (ours: number, theirs: number): number => Math.abs(ours / theirs - 1);
const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const variants = [
  {
    name: "BG/NBD",
    alive: bgNbdProbabilityAlive,
    expected: bgNbdExpectedPurchases,
    newcomer: bgNbdNewCustomerPurchases,
    distribution: bgNbdPurchaseDistribution,
    logLikelihood: bgNbdLogLikelihood,
    objective: (cells: PurchaseCells, k: number) => bgCnbdK(k).objective(cells),
    estimate: fitBgNbd,
    simulate: simulateBgNbd,
  },
  {
    name: "MBG/NBD",
    alive: mbgNbdProbabilityAlive,
    expected: mbgNbdExpectedPurchases,
    newcomer: mbgNbdNewCustomerPurchases,
    distribution: mbgNbdPurchaseDistribution,
    logLikelihood: mbgNbdLogLikelihood,
    objective: (cells: PurchaseCells, k: number) => mbgCnbdK(k).objective(cells),
    estimate: fitMbgNbd,
    simulate: simulateMbgNbd,
  },
] as const;

const anyParameter = fc.double({ min: -6, max: 6, noNaN: true }).map(Math.exp);
const anyParameters = fc.record({ r: anyParameter, alpha: anyParameter, a: anyParameter, b: anyParameter });
const anyCustomer = fc
  .record({
    x: fc.double({ min: 0, max: Math.log(20_001), noNaN: true }).map((log) => Math.floor(Math.expm1(log))),
    age: fc.double({ min: -3, max: Math.log(1e5), noNaN: true }).map(Math.exp),
    share: fc.double({ min: 1e-6, max: 1, noNaN: true }),
  })
  .map(({ x, age, share }) => ({ x, age, recency: x === 0 ? 0 : age * share }));

describe("BG/NBD against published numbers", () => {
  it("gives the BTYD walkthrough's numbers for customer 1516 and a new customer", () => {
    // Dziurzynski, Wadsworth & McCarthy (2014), BTYD walkthrough, section 3: numbers at the estimates before rounding.
    const customer = { x: 26, recency: 30.857, age: 31 };
    expect(bgNbdProbabilityAlive(paper, customer)).toBeCloseTo(0.9688523, 5);
    expect(relative(bgNbdExpectedPurchases(paper, customer, 52), 25.75659)).toBeLessThan(2e-4);
    expect(relative(bgNbdNewCustomerPurchases(paper, 52), 1.444004)).toBeLessThan(2e-3);
  });

  it("gives the walkthrough's distribution at the paper's parameters", () => {
    expect(relative(bgNbdPurchaseDistribution(paper, 2, 10)[10] as number, 1.07869e-7)).toBeLessThan(1e-5);
    expect(bgNbdPurchaseDistribution(paper, 39, 0)[0]).toBeCloseTo(0.5737864, 7);
    const published = [
      0.0019995, 0.001517, 0.0011633, 0.0009003, 0.0007024, 0.0005518, 0.0004362, 0.0003467, 0.000277,
      0.0002222,
    ];
    const ours = bgNbdPurchaseDistribution(paper, 30, 20).slice(11);
    for (const [index, value] of published.entries()) expect(ours[index]).toBeCloseTo(value, 7);
  });

  it("gives Hardie's spreadsheet numbers", () => {
    // Hardie, Implementing the BG/NBD Model in Microsoft Excel (2005), at the unrounded estimates of CDNOW.
    // Its 1.8576 for week 78 stops the series of 2F1 after 150 terms: all terms give 1.85796.
    const estimates = { r: 0.2425945, alpha: 4.4136019, a: 0.7929199, b: 2.4258881 };
    expect(bgNbdExpectedPurchases(estimates, { x: 2, recency: 30.43, age: 38.86 }, 39)).toBeCloseTo(1.226, 3);
    const published = [
      [1 / 7, 0.0078],
      [1, 0.0532],
      [3, 0.1506],
      [31 + 6 / 7, 1.0405],
      [32, 1.0437],
      [78, 1.85796],
    ] as const;
    for (const [time, value] of published) {
      expect(bgNbdNewCustomerPurchases(estimates, time)).toBeCloseTo(value, 4);
    }
  });

  it("shows the increasing-frequency paradox: the more purchases before a long silence, the fewer to come", () => {
    // BTYD walkthrough, section 3: t_x = 20, T = 39, 52 weeks ahead.
    const published = { 10: 0.3474606, 15: 0.04283391, 20: 0.004158973, 25: 0.0003583685 };
    for (const [x, value] of Object.entries(published)) {
      const ours = bgNbdExpectedPurchases(paper, { x: Number(x), recency: 20, age: 39 }, 52);
      expect(relative(ours, value)).toBeLessThan(2e-4);
    }
  });
});

describe("where peers fail", () => {
  it("a = 1 is a number like any other (BTYD: -Infinity)", () => {
    const customer = { x: 2, recency: 30.43, age: 38.86 };
    const at = (a: number) => bgNbdExpectedPurchases({ ...paper, a }, customer, 52);
    expect(relative(at(1), 1.387744)).toBeLessThan(1e-5); // BTYD at a = 1 + 1e-9, where it has lost digits
    expect(relative(at(1), (at(1 - 1e-6) + at(1 + 1e-6)) / 2)).toBeLessThan(1e-10);
    expect(at(1)).toBeGreaterThan(at(1 + 1e-9));
  });

  it("a long silence after 1,000 purchases leaves no chance, without overflow (lifetimes)", () => {
    expect(bgNbdProbabilityAlive(paper, { x: 1000, recency: 10, age: 100 })).toBe(0);
    expect(bgNbdExpectedPurchases(paper, { x: 1000, recency: 10, age: 100 }, 52)).toBe(0);
  });

  it("thousands of purchases do not overflow (scipy's and Cephes' 2F1 do)", () => {
    for (const x of [200, 500, 1500, 20_000]) {
      const expected = bgNbdExpectedPurchases(
        { r: 2, alpha: 3, a: 0.5, b: 80 },
        { x, recency: 200, age: 200 },
        50,
      );
      expect(expected).toBeGreaterThan(0);
      expect(expected).toBeLessThan(((x + 2) / 203) * 50);
    }
  });

  it("the long sum and the integral agree where one hands over to the other", () => {
    const parameters = { r: 0.8, alpha: 2, a: 0.6, b: 1.7 };
    const times = [60, 80, 90, 95, 100, 105, 110, 120, 140].map((time) => time / 1.02);
    const slopes = times.slice(1).map((time, index) => {
      const before = times[index] as number;
      return (
        (bgNbdNewCustomerPurchases(parameters, time) - bgNbdNewCustomerPurchases(parameters, before)) /
        (time - before)
      );
    });
    for (const [index, slope] of slopes.slice(1).entries())
      expect(slope).toBeLessThan(slopes[index] as number);
    // The closed form of Fader, Hardie & Lee (2005), eq. 9, by its own 2F1 series.
    for (const time of [...times, 400, 2000]) {
      const { r, alpha, a, b } = parameters;
      const z = time / (alpha + time);
      let [term, series] = [1, 1];
      for (let n = 0; term > 1e-18 * series; n++) {
        term *= ((r + n) * (b + n) * z) / ((a + b - 1 + n) * (n + 1));
        series += term;
      }
      const closed = ((a + b - 1) / (a - 1)) * (1 - (alpha / (alpha + time)) ** r * series);
      expect(relative(bgNbdNewCustomerPurchases(parameters, time), closed)).toBeLessThan(1e-11);
    }
  });

  it("2,000 extreme cases are finite, and probabilities are probabilities", () => {
    fc.assert(
      fc.property(
        anyParameters,
        anyCustomer,
        fc.double({ min: -3, max: Math.log(1e5), noNaN: true }).map(Math.exp),
        (parameters, customer, horizon) => {
          const cells = purchaseCells({ x: [customer.x], recency: [customer.recency], age: [customer.age] });
          for (const { alive, expected, newcomer, logLikelihood, objective } of variants) {
            const probability = alive(parameters, customer);
            expect(probability >= 0 && probability <= 1).toBe(true);
            const most = ((parameters.r + customer.x) / (parameters.alpha + customer.age)) * horizon;
            const purchases = expected(parameters, customer, horizon);
            expect(purchases >= 0 && purchases <= most * (1 + 1e-9)).toBe(true);
            expect(Number.isFinite(newcomer(parameters, horizon))).toBe(true);
            expect(Number.isFinite(logLikelihood(parameters, cells))).toBe(true);
            const gradient = new Float64Array(4);
            objective(cells, 1)(
              Float64Array.of(parameters.r, parameters.alpha, parameters.a, parameters.b),
              gradient,
            );
            expect(gradient.every(Number.isFinite)).toBe(true);
          }
        },
      ),
      { seed: 17, numRuns: 2000 },
    );
  });
});

describe.each(variants)(
  "$name",
  ({ alive, expected, newcomer, distribution, logLikelihood, objective, estimate, simulate }) => {
    const truth = { r: 0.6, alpha: 6, a: 0.9, b: 2 };
    const ages = Float64Array.from({ length: 20_000 }, (_, row) => 27 + (row % 85) / 7);

    it("recovers the parameters that generated the data, and predicts what follows on average", () => {
      const customers = simulate(truth, ages, randomSource(21));
      const cells = purchaseCells(customers);
      const result = estimate(cells);
      expect(result.converged).toBe(true);
      for (const name of ["r", "alpha", "a", "b"] as const) {
        expect(Math.abs(result.parameters[name] - truth[name])).toBeLessThan(4 * result.standardErrors[name]);
      }
      // What customers are expected to buy in T..T+20 is on average what a new customer buys in that time.
      let [conditional, unconditional] = [0, 0];
      for (const [cell, weight] of cells.weight.entries()) {
        const age = cells.age[cell] as number;
        const customer = { x: cells.x[cell] as number, recency: cells.recency[cell] as number, age };
        conditional += weight * expected(truth, customer, 20);
        unconditional += weight * (newcomer(truth, age + 20) - newcomer(truth, age));
      }
      expect(relative(conditional, unconditional)).toBeLessThan(0.03);
    });

    it("has the gradient of its likelihood", () => {
      const cells = purchaseCells({ x: [0, 1, 3, 150], recency: [0, 0.5, 25, 80.5], age: [10, 30, 30, 90] });
      fc.assert(
        fc.property(anyParameters, fc.integer({ min: 1, max: 4 }), ({ r, alpha, a, b }, k) => {
          expect(checkGradient(onLogScale(objective(cells, k)), [r, alpha, a, b].map(Math.log))).toBeLessThan(
            1e-6,
          );
        }),
        { seed: 5, numRuns: 300 },
      );
    });

    it("has a distribution that sums to 1 and whose mean is the expectation", () => {
      const moderate = fc.record({
        r: fc.double({ min: 0.1, max: 3, noNaN: true }),
        alpha: fc.double({ min: 2, max: 20, noNaN: true }),
        a: fc.double({ min: 0.05, max: 4, noNaN: true }),
        b: fc.double({ min: 0.05, max: 9, noNaN: true }),
        k: fc.integer({ min: 1, max: 3 }),
      });
      fc.assert(
        fc.property(moderate, fc.double({ min: 0.1, max: 40, noNaN: true }), (parameters, time) => {
          const probabilities = distribution(parameters, time, 1500);
          expect(sum(probabilities)).toBeCloseTo(1, 11);
          expect(probabilities.every((p) => p >= 0)).toBe(true);
          const mean = sum(probabilities.map((p, x) => x * p));
          expect(relative(mean, newcomer(parameters, time))).toBeLessThan(1e-8);
        }),
        { seed: 9, numRuns: 60 },
      );
    });

    it("believes less in a customer the longer the silence", () => {
      fc.assert(
        fc.property(anyParameters, anyCustomer, ({ r, alpha, a, b }, customer) => {
          const later = { ...customer, age: customer.age * 1.5 };
          const parameters = { r, alpha, a, b };
          expect(alive(parameters, later)).toBeLessThanOrEqual(alive(parameters, customer));
        }),
        { seed: 9, numRuns: 300 },
      );
    });

    it("changes alpha alone with the unit of time, and counts weights as repetition", () => {
      const sample = simulate(truth, ages.slice(0, 2000), randomSource(4));
      const weekly = estimate(purchaseCells(sample)).parameters;
      const inDays = (column: Float64Array) => column.map((time) => time * 7);
      const daily = estimate(
        purchaseCells({ x: sample.x, recency: inDays(sample.recency), age: inDays(sample.age) }),
      ).parameters;
      expect(daily.alpha / weekly.alpha).toBeCloseTo(7, 2);
      for (const name of ["r", "a", "b"] as const) expect(daily[name] / weekly[name]).toBeCloseTo(1, 3);
      expect(relative(newcomer({ ...truth, alpha: truth.alpha * 7 }, 140), newcomer(truth, 20))).toBeLessThan(
        1e-12,
      );

      const twice = purchaseCells({ x: [2, 2, 0, 0], recency: [3, 3, 0, 0], age: [9, 9, 9, 9] });
      const weighted = purchaseCells({ x: [2, 0], recency: [3, 0], age: [9, 9], weight: [2, 2] });
      expect(logLikelihood(truth, weighted)).toBe(logLikelihood(truth, twice));
    });

    it("counts time on: purchases expected by now and from now on add up over what may have happened", () => {
      // A new customer seen at age 0 is expected to buy what the unconditional expectation says.
      fc.assert(
        fc.property(anyParameters, (parameters) => {
          const now = { x: 0, recency: 0, age: 0 };
          expect(relative(expected(parameters, now, 3), newcomer(parameters, 3))).toBeLessThan(1e-14);
          expect(newcomer(parameters, 0)).toBe(0);
          expect(newcomer(parameters, 6)).toBeLessThanOrEqual(2 * newcomer(parameters, 3) * (1 + 1e-9));
        }),
        { seed: 9, numRuns: 100 },
      );
    });

    it("names a parameter, a customer or a horizon that is not possible", () => {
      const customer = { x: 1, recency: 2, age: 3 };
      expect(() => expected({ ...truth, a: -1 }, customer, 1)).toThrow(
        "parameter a must be a number above 0, got -1",
      );
      expect(() => alive(truth, { x: 1, recency: 4, age: 3 })).toThrow(
        "recency must be from 0 to the age 3, got 4",
      );
      expect(() => expected(truth, customer, Number.NaN)).toThrow(
        "horizon must be a number from 0 up, got NaN",
      );
      expect(() => distribution(truth, 1, -1)).toThrow("max must be a whole number from 0 up, got -1");
      expect(() => alive({ ...truth, k: 1.5 }, customer)).toThrow(
        "parameter k must be a whole number from 1 to 50, got 1.5",
      );
    });
  },
);

describe("what tells the models apart", () => {
  it("nobody has dropped out without a repeat purchase under the BG/NBD; under the MBG/NBD somebody may", () => {
    const silent = { x: 0, recency: 0, age: 38.86 };
    expect(bgNbdProbabilityAlive(paper, silent)).toBe(1);
    expect(mbgNbdProbabilityAlive(paper, silent)).toBeLessThan(0.8);
    expect(mbgNbdProbabilityAlive(paper, { x: 0, recency: 0, age: 0 })).toBeCloseTo(
      2.426 / (0.793 + 2.426),
      12,
    );
  });
});

describe("regular buyers: CNBD-k", () => {
  const truth: BgNbdParameters = { k: 3, r: 1.3, alpha: 2.8, a: 0.4, b: 0.8 };
  const ages = new Float64Array(6000).fill(52);
  const models = [
    { name: "BG", simulate: simulateBgNbd, estimate: fitBgCnbdK, expected: bgNbdExpectedPurchases },
    { name: "MBG", simulate: simulateMbgNbd, estimate: fitMbgCnbdK, expected: mbgNbdExpectedPurchases },
  ];

  it.each(models)(
    "$name/CNBD-k recovers the parameters for the k that generated the data",
    ({ simulate, estimate }) => {
      const result = estimate(purchaseCells(simulate(truth, ages, randomSource(31))), { k: 3 });
      expect(result.k).toBe(3);
      for (const name of ["r", "alpha", "a", "b"] as const) {
        expect(Math.abs(result.parameters[name] - truth[name])).toBeLessThan(4 * result.standardErrors[name]);
      }
    },
  );

  it.each(models)("$name/CNBD-k expects what customers then buy", ({ simulate, expected, name }) => {
    // The same random numbers draw the same customers for longer: what they buy after week 52 is known.
    const [calibration, holdout] = [52, 26];
    let [bought, foreseen] = [0, 0];
    for (let row = 0; row < 6000; row++) {
      const random = () => randomSource(77).stream(name).stream(row);
      const before = simulate(truth, [calibration], random());
      const after = simulate(truth, [calibration + holdout], random());
      bought += (after.x[0] as number) - (before.x[0] as number);
      const customer = { x: before.x[0] as number, recency: before.recency[0] as number, age: calibration };
      foreseen += expected(truth, customer, holdout);
    }
    expect(relative(foreseen, bought)).toBeLessThan(0.05);
  });

  it.each([1, 3])("finds regularity %i by two gaps of each customer, whatever their rates", (k) => {
    const random = randomSource(k);
    const gap = (rate: number) => drawGamma(random, k, rate);
    const rates = Array.from({ length: 20_000 }, () => 0.01 + random.uniform());
    expect(Math.abs(purchaseRegularity(rates.map(gap), rates.map(gap)) / k - 1)).toBeLessThan(0.05);
    expect(() => purchaseRegularity([1, 2], [1, 0])).toThrow(
      "gaps row 1: a gap must be a number above 0, got 0",
    );
    expect(() => purchaseRegularity([1], [1])).toThrow("two customers or more, got 1 and 1");
    expect(() => purchaseRegularity([1, 1], [2, 2])).toThrow("the shares of all are equal");
  });

  it("chooses k by likelihood, which needs the gaps", () => {
    const { cells, logGaps } = regularBuyers();
    const chosen = fitMbgCnbdK(cells, { kMax: 5, logGaps });
    expect(chosen.k).toBe(3);
    expect(chosen.logLikelihood).toBeGreaterThan(fitMbgCnbdK(cells, { k: 1, logGaps }).logLikelihood);
    expect(() => fitMbgCnbdK(cells, {})).toThrow("logGaps must be given where k is to be chosen");
    expect(() => fitMbgCnbdK(cells, { k: 0 })).toThrow("k must be a whole number from 1 to 50, got 0");
  });

  /** Buyers who never drop out, with gaps of Erlang-3 shape. */
  function regularBuyers(): { cells: PurchaseCells; logGaps: number } {
    const random = randomSource(5);
    const [x, recency]: [number[], number[]] = [[], []];
    let logGaps = 0;
    for (let row = 0; row < 1500; row++) {
      const rate = 0.5 + random.uniform();
      let [time, count] = [0, 0];
      for (;;) {
        let gap = 0;
        for (let stage = 0; stage < 3; stage++) gap -= Math.log(1 - random.uniform()) / rate;
        if (time + gap > 52) break;
        time += gap;
        count++;
        logGaps += Math.log(gap);
        if (random.uniform() < 0.2) break;
      }
      x.push(count);
      recency.push(time);
    }
    return { cells: purchaseCells({ x, recency, age: new Float64Array(1500).fill(52) }), logGaps };
  }
});

const hasCdnow = existsSync(join(referenceDir, "data", "clv_cdnow_elog.csv"));

describe("CDNOW, 2,357 customers in 39 weeks", () => {
  it("has the published maximum and standard errors", ({ skip }) => {
    if (!hasCdnow) skip(`no CDNOW data at ${referenceDir}: set REFERENCE_DIR to fit it`);
    // Log-likelihood and standard errors as printed by CLVTools and lifetimes on the days of the log.
    const { header, rows } = referenceTable("clv_cdnow_elog.csv");
    const column = (name: string) => rows.map((row) => Number(row[header.indexOf(name)]));
    const cells = purchaseCells({ x: column("x"), recency: column("t_x"), age: column("T") });
    const bg = fitBgNbd(cells);
    expect(bg.logLikelihood).toBeCloseTo(-9582.429, 3);
    expectDigits(bg.parameters, { r: 0.24259, alpha: 4.4136, a: 0.79292, b: 2.4259 }, 4);
    expectDigits(bg.standardErrors, { r: 0.01256, alpha: 0.37822, a: 0.18573, b: 0.70541 }, 4);
    const mbg = fitMbgNbd(cells);
    expect(mbg.logLikelihood).toBeCloseTo(-9582.136, 3);
    expectDigits(mbg.parameters, { r: 0.52484, alpha: 6.1831, a: 0.89139, b: 1.61405 }, 3);
    expectDigits(mbg.standardErrors, { r: 0.08326, alpha: 0.6956, a: 0.15479, b: 0.53747 }, 4);
  });

  function expectDigits(
    ours: Record<string, number>,
    published: Record<string, number>,
    digits: number,
  ): void {
    for (const [name, value] of Object.entries(published)) expect(ours[name]).toBeCloseTo(value, digits);
  }
});
