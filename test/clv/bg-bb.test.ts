import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BgBbCustomers,
  type BgBbParameters,
  bgbbDiscountedPurchases,
  bgbbExpectedPurchases,
  bgbbLogLikelihood,
  bgbbNewCustomerPurchases,
  bgbbPosteriorBuyingProbability,
  bgbbProbabilityAlive,
  bgbbPurchaseDistribution,
  DataError,
  fitBgBb,
  randomSource,
  simulateBgBb,
} from "../../src/index.js";
import { checkGradient } from "../../src/numeric/derivatives.js";

// Fader, Hardie & Shang (2010), Marketing Science 29(6), table 2: (x, t_x, donors) of 11,104 donors in six years.
const donors = [
  [0, 0, 3464],
  [1, 1, 1091],
  [1, 2, 277],
  [1, 3, 129],
  [1, 4, 78],
  [1, 5, 119],
  [1, 6, 129],
  [2, 2, 613],
  [2, 3, 255],
  [2, 4, 155],
  [2, 5, 173],
  [2, 6, 234],
  [3, 3, 322],
  [3, 4, 181],
  [3, 5, 225],
  [3, 6, 357],
  [4, 4, 240],
  [4, 5, 284],
  [4, 6, 512],
  [5, 5, 335],
  [5, 6, 728],
  [6, 6, 1203],
] as const;
const donations = columns(donors, 6);

// Berger, Weinberg & Hanna (2003), as in Fader & Hardie's workshop: cruises of 6,094 customers in four periods.
const cruisers = [
  [4, 4, 18],
  [3, 4, 66],
  [2, 4, 98],
  [1, 4, 216],
  [3, 3, 34],
  [2, 3, 180],
  [1, 3, 292],
  [2, 2, 64],
  [1, 2, 342],
  [1, 1, 302],
  [0, 0, 4482],
] as const;
const cruises = columns(cruisers, 4);

const published = { alpha: 1.204, beta: 0.75, gamma: 0.657, delta: 2.783 };

function columns(cells: readonly (readonly [number, number, number])[], opportunities: number) {
  return {
    x: cells.map(([x]) => x),
    recency: cells.map(([, recency]) => recency),
    opportunities: cells.map(() => opportunities),
    weight: cells.map(([, , weight]) => weight),
  };
}

const parametersOf = ([alpha = 0, beta = 0, gamma = 0, delta = 0]: Iterable<number>): BgBbParameters => ({
  alpha,
  beta,
  gamma,
  delta,
});

const parameter = fc.double({ min: -3, max: 3, noNaN: true }).map(Math.exp);
const anyParameters = fc.tuple(parameter, parameter, parameter, parameter).map(parametersOf);
const anyCustomer = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1000))
  .map(([opportunities, late, many]) => {
    const recency = Math.round(late * opportunities);
    return { x: recency === 0 ? 0 : 1 + (many % recency), recency, opportunities };
  });
const runs = { seed: 7, numRuns: 100 };

describe("fitBgBb", () => {
  it("reproduces the published estimates of the donors", () => {
    const fit = fitBgBb(donations);
    const { alpha, beta, gamma, delta } = fit.parameters;
    expect([alpha, beta, gamma, delta].map((value) => value.toFixed(3))).toEqual([
      "1.204",
      "0.750",
      "0.657",
      "2.783",
    ]);
    expect(fit.logLikelihood).toBeCloseTo(-33225.581, 3);
    const errors = Object.values(fit.standardErrors);
    for (const [index, error] of [0.0694, 0.0295, 0.051, 0.3208].entries()) {
      expect(Math.abs((errors[index] ?? 0) - error)).toBeLessThan(1e-4); // the peer's Hessian is by differences
    }
    expect(fit).toMatchObject({ model: "BG/BB", observations: 11_104, converged: true, warnings: [] });
  });

  it("reports the ridge of the cruise customers as a warning", () => {
    const fit = fitBgBb(cruises);
    expect(fit.logLikelihood).toBeGreaterThanOrEqual(-7130.731);
    expect(fit.parameters.alpha).toBeCloseTo(0.66, 2);
    expect(fit.parameters.beta).toBeCloseTo(5.19, 2);
    expect(fit.identification.weak).toBe(true);
    expect(fit.identification.ridge).toMatch(/gamma and delta/);
    expect(fit.warnings.join()).toMatch(/weakly identified/);
    for (const error of Object.values(fit.standardErrors)) expect(Number.isFinite(error)).toBe(true);
  });

  it("gives weights the meaning of repeated rows, in any order", () => {
    const rows = donors.flatMap(([x, recency, weight]) =>
      Array.from({ length: weight }, () => ({ x, recency })),
    );
    const repeated = {
      x: rows.map(({ x }) => x).reverse(),
      recency: rows.map(({ recency }) => recency).reverse(),
      opportunities: rows.map(() => 6),
    };
    expect(fitBgBb(repeated)).toEqual(fitBgBb(donations));
  });

  it("recovers the parameters that generated the data within four standard errors", () => {
    const truth = { alpha: 1.2, beta: 0.8, gamma: 0.7, delta: 2.8 };
    const opportunities = Array.from({ length: 20_000 }, (_, row) => 5 + (row % 4));
    const fit = fitBgBb(simulateBgBb(truth, opportunities, randomSource(11)));
    for (const [name, value] of Object.entries(truth) as [keyof BgBbParameters, number][]) {
      expect(Math.abs(fit.parameters[name] - value) / fit.standardErrors[name]).toBeLessThan(4);
    }
  });

  it.each([
    [
      { x: [1], recency: [0], opportunities: [6] },
      "customers row 0: x must be a whole number from 0 to the recency 0, got 1",
    ],
    [{ x: [0], recency: [2], opportunities: [6] }, "customers row 0: recency must be 0 where x is 0, got 2"],
    [
      { x: [1, 1], recency: [1, 7], opportunities: [6, 6] },
      "customers row 1: recency must be a whole number from 0 to the 6 opportunities, got 7",
    ],
    [
      { x: [0], recency: [0], opportunities: [0] },
      "customers row 0: opportunities must be a whole number from 1 to 100000, got 0",
    ],
    [
      { x: [1.5], recency: [2], opportunities: [6] },
      "customers row 0: x must be a whole number from 0 to the recency 2, got 1.5",
    ],
    [
      { x: [1], recency: [1], opportunities: [6], weight: [Number.NaN] },
      "customers row 0: weight must be a number above 0, got NaN",
    ],
    [{ x: [1], recency: [], opportunities: [6] }, "recency must have as many rows as x, 1, got 0"],
    [{ x: [], recency: [], opportunities: [] }, "customers must have at least one row, got none"],
  ] as [BgBbCustomers, string][])("refuses %j", (customers, message) => {
    expect(() => fitBgBb(customers)).toThrow(new DataError(message));
  });
});

describe("BG/BB at published parameters", () => {
  it("expects the published purchases of a new donor", () => {
    // Hardie's spreadsheet for the paper.
    const { parameters } = fitBgBb(donations); // the printed parameters are rounded, the spreadsheet's are not
    const expected = [0.4985, 0.9233, 1.2969, 1.6323, 1.9381, 2.2202, 2.4826, 2.7285, 2.9603, 3.1798, 3.3887];
    for (const [index, value] of expected.entries()) {
      expect(bgbbNewCustomerPurchases(parameters, index + 1)).toBeCloseTo(value, 4);
    }
  });

  it("distributes the donors over the counts as in the paper", () => {
    const { parameters } = fitBgBb(donations);
    const counts = bgbbPurchaseDistribution(parameters, 6);
    expect(11_104 * (counts[0] ?? 0)).toBeCloseTo(3454.9, 1);
    expect(11_104 * (counts[6] ?? 0)).toBeCloseTo(1253.1, 1);
  });

  it("gives every kind of donor the right value, chance to be alive and expected purchases", () => {
    // BTYD 2.4.3: DERT at 10 %, P(alive at n + 1), expected purchases in five years.
    const expected = [
      [0.115, 0.108, 0.073],
      [0.135, 0.0694, 0.086],
      [0.495, 0.2546, 0.314],
      [0.935, 0.4812, 0.594],
      [1.322, 0.6803, 0.839],
      [1.609, 0.8281, 1.022],
      [1.808, 0.9304, 1.148],
      [0.187, 0.0664, 0.119],
      [0.844, 0.2988, 0.536],
      [1.665, 0.5895, 1.057],
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: an expected count of purchases, not log2(e)
      [2.272, 0.8045, 1.443],
      [2.628, 0.9304, 1.669],
      [0.352, 0.095, 0.224],
      [1.629, 0.4395, 1.034],
      [2.842, 0.7667, 1.804],
      [3.448, 0.9304, 2.19],
      [0.918, 0.2001, 0.583],
      [3.196, 0.6967, 2.03],
      [4.268, 0.9304, 2.71],
      [2.854, 0.5219, 1.813],
      [5.088, 0.9304, 3.231],
      [5.909, 0.9304, 3.752],
    ];
    for (const [index, [x, recency]] of donors.entries()) {
      const donor = { x, recency, opportunities: 6 };
      const [value = 0, alive = 0, purchases = 0] = expected[index] ?? [];
      expect(bgbbDiscountedPurchases(published, donor, 0.1)).toBeCloseTo(value, 3);
      expect(bgbbProbabilityAlive(published, donor, 1)).toBeCloseTo(alive, 4);
      expect(bgbbExpectedPurchases(published, donor, 5)).toBeCloseTo(purchases, 3);
    }
  });

  it("expects the published purchases in ten years", () => {
    const { parameters } = fitBgBb(donations);
    expect(bgbbExpectedPurchases(parameters, { x: 0, recency: 0, opportunities: 6 }, 10)).toBeCloseTo(
      0.1302,
      4,
    );
    expect(bgbbExpectedPurchases(parameters, { x: 4, recency: 5, opportunities: 6 }, 10)).toBeCloseTo(
      3.6279,
      3,
    );
  });

  it("values cruise customers where BTYD underflows to -Inf", () => {
    // Fader & Hardie's workshop on the cruise data, DET at 10 %.
    const ridge = { alpha: 0.66, beta: 5.19, gamma: 173.76, delta: 1882.93 };
    const expected = [2.35, 1.85, 1.34, 0.84, 1.6, 1.19, 0.75, 0.99, 0.66, 0.56, 0.22];
    for (const [index, [x, recency]] of cruisers.entries()) {
      const value = bgbbDiscountedPurchases(ridge, { x, recency, opportunities: 4 }, 0.1);
      // (2, 2) is 0.9955 at these rounded parameters, printed as .99
      expect(Math.abs(value - (expected[index] ?? 0))).toBeLessThan(0.006);
    }
    expect(bgbbLogLikelihood(ridge, cruises)).toBeCloseTo(-7130.76, 1);
  });
});

describe("BG/BB laws", () => {
  it("has a gradient that equals finite differences", () => {
    fc.assert(
      fc.property(anyParameters, ({ alpha, beta, gamma, delta }) => {
        const objective = (x: Float64Array, gradient: Float64Array): number =>
          bgbbLogLikelihood(parametersOf(x), donations, gradient);
        expect(checkGradient(objective, [alpha, beta, gamma, delta])).toBeLessThan(1e-5);
      }),
      runs,
    );
  });

  it("has counts that sum to 1 and have the expected purchases as mean", () => {
    fc.assert(
      fc.property(anyParameters, fc.nat(30), (parameters, periods) => {
        const counts = [...bgbbPurchaseDistribution(parameters, periods)];
        const mean = counts.reduce((sum, chance, x) => sum + x * chance, 0);
        expect(counts.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12);
        expect(mean).toBeCloseTo(bgbbNewCustomerPurchases(parameters, periods), 10);
      }),
      runs,
    );
  });

  it("gives all histories together probability 1", () => {
    fc.assert(
      fc.property(anyParameters, (parameters) => {
        let all = 0;
        for (let recency = 0; recency <= 5; recency++) {
          for (let x = Math.min(1, recency); x <= recency; x++) {
            let ways = 1; // to choose x - 1 of the recency - 1 opportunities before the last purchase
            for (let i = 1; i < x; i++) ways *= (recency - i) / i;
            const one = { x: [x], recency: [recency], opportunities: [5] };
            all += ways * Math.exp(bgbbLogLikelihood(parameters, one));
          }
        }
        expect(all).toBeCloseTo(1, 12);
      }),
      runs,
    );
  });

  it("has probabilities in [0, 1] that fall with time and values consistent with the sum of all periods", () => {
    fc.assert(
      fc.property(anyParameters, anyCustomer, (parameters, customer) => {
        const now = bgbbProbabilityAlive(parameters, customer);
        const later = bgbbProbabilityAlive(parameters, customer, 3);
        expect(now).toBeLessThanOrEqual(1);
        expect(later).toBeGreaterThanOrEqual(0);
        expect(later).toBeLessThanOrEqual(now);
        const buys = bgbbPosteriorBuyingProbability(parameters, customer);
        expect(buys > 0 && buys < 1).toBe(true);
        let sum = 0;
        for (let t = 1; t <= 200; t++) {
          const gain =
            bgbbExpectedPurchases(parameters, customer, t) -
            bgbbExpectedPurchases(parameters, customer, t - 1);
          sum += gain / 1.5 ** t;
        }
        expect(bgbbDiscountedPurchases(parameters, customer, 0.5)).toBeCloseTo(sum, 9);
      }),
      { seed: 7, numRuns: 30 },
    );
  });

  it("is finite everywhere", () => {
    const random = randomSource(3);
    const draw = (): number => Math.exp(12 * random.uniform() - 6);
    for (let run = 0; run < 2000; run++) {
      const parameters = parametersOf([draw(), draw(), draw(), draw()]);
      const opportunities = 1 + Math.floor(500 * random.uniform() ** 3);
      const recency = Math.floor((opportunities + 1) * random.uniform());
      const customer = { x: recency && 1 + Math.floor(recency * random.uniform()), recency, opportunities };
      const gradient = new Float64Array(4);
      const one = { x: [customer.x], recency: [recency], opportunities: [opportunities] };
      const all = [
        bgbbLogLikelihood(parameters, one, gradient),
        ...gradient,
        bgbbProbabilityAlive(parameters, customer),
        bgbbExpectedPurchases(parameters, customer, 20),
        bgbbDiscountedPurchases(parameters, customer, 0.01),
        bgbbPosteriorBuyingProbability(parameters, customer),
      ];
      expect(all.every(Number.isFinite), JSON.stringify({ parameters, customer })).toBe(true);
    }
  });

  it("refuses customers, periods and parameters that are not possible", () => {
    const customer = { x: 1, recency: 1, opportunities: 6 };
    expect(() => bgbbProbabilityAlive({ ...published, gamma: -1 }, customer)).toThrow("parameter gamma");
    expect(() => bgbbProbabilityAlive(published, { ...customer, x: 2 })).toThrow(
      "x must be a whole number from 0 to the recency 1, got 2",
    );
    expect(() => bgbbExpectedPurchases(published, customer, 1.5)).toThrow("periods must be a whole number");
    expect(() => bgbbDiscountedPurchases(published, customer, 0)).toThrow("discountRate must be a fraction");
  });
});
