import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fitParetoNbd,
  type ParetoNbdParameters,
  paretoNbdDiscountedPurchases,
  paretoNbdExpectedPurchases,
  paretoNbdLogLikelihood,
  paretoNbdNewCustomerPurchases,
  paretoNbdProbabilityAlive,
  paretoNbdPurchaseDistribution,
  purchaseCells,
  randomSource,
  simulateParetoNbd,
} from "../../src/index.js";
import { checkGradient } from "../../src/numeric/derivatives.js";
import { referenceDir, referenceTable } from "../reference/case.js";

/** BTYD's walkthrough: CDNOW, 39 weeks. */
const cdnow = { r: 0.5533, alpha: 10.578, s: 0.6061, beta: 11.6562 };
/** Fader, Hardie & Lee (2005), RFM and CLV, 78 weeks. */
const cdnow78 = { r: 0.5629966, alpha: 12.559037, s: 0.4081095, beta: 10.5148048 };

const parametersOf = ([r = 0, alpha = 0, s = 0, beta = 0]: Iterable<number>): ParetoNbdParameters => ({
  r,
  alpha,
  s,
  beta,
});

const parameter = fc.double({ min: -2.5, max: 2.5, noNaN: true }).map(Math.exp);
const anyParameters = fc.tuple(parameter, parameter, parameter, parameter).map(parametersOf);
const anyCustomer = fc
  .tuple(
    fc.nat(30),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.double({ min: 0.1, max: 200, noNaN: true }),
  )
  .map(([x, late, age]) => ({ x, recency: x === 0 ? 0 : late * age, age }));
const runs = { seed: 7, numRuns: 100 };

const oneCell = ({ x, recency, age }: { x: number; recency: number; age: number }) =>
  purchaseCells({ x: [x], recency: [recency], age: [age] });

const cdnowFile = "cdnow_cbs.csv";
const hasCdnow = existsSync(join(referenceDir, "data", cdnowFile));
const skipText = hasCdnow ? "" : ` (skipped: no ${cdnowFile} in ${referenceDir})`;

function cdnowCells() {
  const { header, rows } = referenceTable(cdnowFile);
  const column = (name: string): number[] => rows.map((row) => Number(row[header.indexOf(name)]));
  return purchaseCells({ x: column("x"), recency: column("t.x"), age: column("T.cal") });
}

describe.skipIf(!hasCdnow)(`fitParetoNbd on CDNOW${skipText}`, () => {
  it("reproduces the published estimates", () => {
    // Fader, Hardie & Lee (2005), Marketing Science 24(2), table 2; standard errors of CLVTools' tests.
    const fit = fitParetoNbd(cdnowCells());
    const expected = { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 };
    const errors = { r: 0.0476264, alpha: 0.8427222, s: 0.1872594, beta: 6.2105448 };
    for (const [name, value] of Object.entries(expected) as [keyof ParetoNbdParameters, number][]) {
      expect(fit.parameters[name]).toBeCloseTo(value, 2);
      expect(fit.standardErrors[name] / errors[name]).toBeCloseTo(1, 3);
    }
    expect(fit.logLikelihood).toBeCloseTo(-9594.976, 3);
    expect(fit).toMatchObject({ model: "Pareto/NBD", observations: 2357, converged: true, warnings: [] });
  });

  it("does not depend on the unit of time", () => {
    const weeks = cdnowCells();
    const days = { ...weeks, recency: weeks.recency.map((t) => 7 * t), age: weeks.age.map((t) => 7 * t) };
    const inWeeks = fitParetoNbd(weeks);
    const inDays = fitParetoNbd(days);
    const purchases = weeks.x.reduce((sum, x, cell) => sum + x * (weeks.weight[cell] ?? 0), 0);
    expect(inDays.logLikelihood + purchases * Math.log(7)).toBeCloseTo(inWeeks.logLikelihood, 4);
    expect(inDays.parameters.r / inWeeks.parameters.r).toBeCloseTo(1, 3);
    expect(inDays.parameters.beta / inWeeks.parameters.beta / 7).toBeCloseTo(1, 2);
  });

  it("gives weights the meaning of repeated rows, in any order", () => {
    const { x, recency, age, weight } = cdnowCells();
    const repeat = (values: Float64Array): number[] =>
      [...values].flatMap((value, cell) => Array.from({ length: weight[cell] ?? 0 }, () => value)).reverse();
    const repeated = purchaseCells({ x: repeat(x), recency: repeat(recency), age: repeat(age) });
    expect(fitParetoNbd(repeated)).toEqual(fitParetoNbd({ x, recency, age, weight }));
  });

  it("gives the 39 weeks the published likelihood at the estimates of 78 weeks", () => {
    expect(paretoNbdLogLikelihood(cdnow78, cdnowCells())).toBeCloseTo(-9608, 0);
  });
});

describe("fitParetoNbd", () => {
  it("recovers the parameters that generated the data within four standard errors", () => {
    const truth = { r: 0.8, alpha: 8, s: 0.7, beta: 15 };
    const random = randomSource(21);
    const ages = Array.from({ length: 6000 }, () => 40 + 40 * random.uniform());
    const fit = fitParetoNbd(purchaseCells(simulateParetoNbd(truth, ages, random)));
    for (const [name, value] of Object.entries(truth) as [keyof ParetoNbdParameters, number][]) {
      expect(Math.abs(fit.parameters[name] - value) / fit.standardErrors[name]).toBeLessThan(4);
    }
  });

  it("starts from a sample where there are many cells, and finds the same optimum", () => {
    const truth = { r: 0.8, alpha: 8, s: 0.7, beta: 15 };
    const random = randomSource(22);
    const ages = Array.from({ length: 24_000 }, () => 40 + 40 * random.uniform());
    const fit = fitParetoNbd(purchaseCells(simulateParetoNbd(truth, ages, random)));
    expect(fit.converged).toBe(true);
    for (const [name, value] of Object.entries(truth) as [keyof ParetoNbdParameters, number][]) {
      expect(Math.abs(fit.parameters[name] - value) / fit.standardErrors[name]).toBeLessThan(4);
    }
  });

  it("refuses impossible customers", () => {
    expect(() => purchaseCells({ x: [1], recency: [5], age: [4] })).toThrow(
      "recency must be from 0 to the age 4",
    );
  });
});

describe("Pareto/NBD at published parameters", () => {
  it("reproduces BTYD's walkthrough", () => {
    // BTYD's own estimates for CDNOW with times rounded to two decimals, which the walkthrough uses.
    const cdnow = { r: 0.5533956, alpha: 10.5801289, s: 0.6060364, beta: 11.6554051 };
    const customer = { x: 26, recency: 30.857142857142858, age: 31 };
    expect(paretoNbdExpectedPurchases(cdnow, customer, 52)).toBeCloseTo(25.456, 2);
    expect(paretoNbdProbabilityAlive(cdnow, customer)).toBeCloseTo(0.997874, 4);
    expect(paretoNbdNewCustomerPurchases(cdnow, 52)).toBeCloseTo(1.4734, 3);
    // The walkthrough prints more digits than its parameters, which move these values by some 1e-4 of themselves.
    const paradox = [0.7062289, 0.1442396, 0.02250658, 0.00309267];
    for (const [index, value] of paradox.entries()) {
      const ours = paretoNbdExpectedPurchases(cdnow, { x: 10 + 5 * index, recency: 20, age: 39 }, 52);
      expect(ours / value).toBeCloseTo(1, 3);
    }
  });

  it("values customers as in the paper on RFM and CLV", () => {
    const week = 0.0027; // 15 % a year, continuously
    const customers = [
      { customer: { x: 7, recency: 35, age: 77.86 }, expected: 1.864 },
      { customer: { x: 1, recency: 30, age: 77.86 }, expected: 2.199 },
      { customer: { x: 7, recency: 77.86, age: 77.86 }, expected: 18.504 },
      { customer: { x: 14, recency: 77.86, age: 77.86 }, expected: 35.63 },
      { customer: { x: 0, recency: 0, age: 77.86 }, expected: 0.365 },
    ];
    for (const { customer, expected } of customers) {
      expect(paretoNbdDiscountedPurchases(cdnow78, customer, week)).toBeCloseTo(expected, 2);
    }
  });
});

describe("Pareto/NBD where peers fail", () => {
  it("knows that four busy customers are alive (BTYD 2.4.3: NaN)", () => {
    const parameters = { r: 0.5143, alpha: 2.8845, s: 0.2856, beta: 14.1087 };
    const customers = [
      [221, 103.42857, 103.57143],
      [254, 97.14286, 97.28571],
      [161, 94.71429, 98],
      [204, 98.57143, 99.42857],
    ] as const;
    // 40-digit evaluations with mpmath.
    const expected = [0.999596052318, 0.999558226123, 0.749487752258, 0.994255079638];
    for (const [index, [x, recency, age]] of customers.entries()) {
      expect(paretoNbdProbabilityAlive(parameters, { x, recency, age })).toBeCloseTo(
        expected[index] ?? 0,
        10,
      );
    }
  });

  it("passes s = 1 without a gap (BTYD: NaN)", () => {
    // BTYD gives 1.467179 at s = 1 + 1e-9: CDNOW's parameters, 52 weeks.
    const customer = { x: 2, recency: 30.43, age: 38.86 };
    const at = (s: number): number =>
      paretoNbdExpectedPurchases({ r: 0.553, alpha: 10.578, s, beta: 11.669 }, customer, 52);
    expect(at(1)).toBeCloseTo(1.467179, 6);
    const newcomer = paretoNbdNewCustomerPurchases({ r: 0.5533, alpha: 10.578, s: 1, beta: 11.6562 }, 52);
    expect(newcomer).toBeCloseTo(1.03505739021, 10);
    expect(at(1 + 1e-9) / at(1)).toBeCloseTo(1, 8);
    expect(at(1 - 1e-9) / at(1)).toBeCloseTo(1, 8);
  });

  it("is continuous in x around 132 and 133, where closed forms jump", () => {
    const expected = Array.from({ length: 40 }, (_, index) =>
      paretoNbdExpectedPurchases(cdnow, { x: 120 + index, recency: 200, age: 200 }, 10),
    );
    for (const [index, value] of expected.slice(1).entries()) {
      expect(value - (expected[index] ?? 0)).toBeCloseTo(0.0468, 4); // one purchase more in 210.6 weeks
    }
  });

  it("stays finite and smooth for very frequent buyers (lifetimes overflowed)", () => {
    const parameters = { r: 10.465, alpha: 0.00798565, s: 3.0516, beta: 2.82 };
    for (let x = 400; x <= 500; x++) {
      const customer = { x, recency: 36.9, age: 37 };
      const alive = paretoNbdProbabilityAlive(parameters, customer);
      expect(alive >= 0 && alive <= 1).toBe(true);
      expect(Number.isFinite(paretoNbdLogLikelihood(parameters, oneCell(customer)))).toBe(true);
    }
  });
});

describe("Pareto/NBD laws", () => {
  it("has a gradient that equals finite differences", () => {
    fc.assert(
      fc.property(anyParameters, fc.array(anyCustomer, { minLength: 1, maxLength: 5 }), (at, customers) => {
        const cells = purchaseCells({
          x: customers.map(({ x }) => x),
          recency: customers.map(({ recency }) => recency),
          age: customers.map(({ age }) => age),
        });
        const objective = (x: Float64Array, gradient: Float64Array): number => {
          const value = paretoNbdLogLikelihood(parametersOf(x.map(Math.exp)), cells, gradient);
          for (const [i, slope] of gradient.entries()) gradient[i] = slope * Math.exp(x[i] ?? 0);
          return value;
        };
        expect(checkGradient(objective, [at.r, at.alpha, at.s, at.beta].map(Math.log))).toBeLessThan(1e-6);
      }),
      runs,
    );
  });

  it("does not depend on the unit of time, and takes weights as repeated rows", () => {
    const scale = fc.double({ min: -4, max: 4, noNaN: true }).map(Math.exp);
    const weight = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(
        anyParameters,
        anyCustomer,
        scale,
        weight,
        (parameters, { x, recency, age }, unit, many) => {
          const { r, alpha, s, beta } = parameters;
          const value = paretoNbdLogLikelihood(parameters, oneCell({ x, recency, age }));
          const inUnits = paretoNbdLogLikelihood(
            { r, alpha: alpha * unit, s, beta: beta * unit },
            oneCell({ x, recency: Math.min(recency * unit, age * unit), age: age * unit }),
          );
          const size = Math.max(1, Math.abs(value));
          expect(Math.abs(inUnits + x * Math.log(unit) - value)).toBeLessThanOrEqual(1e-9 * size);
          const weighted = purchaseCells({ x: [x], recency: [recency], age: [age], weight: [many] });
          expect(paretoNbdLogLikelihood(parameters, weighted) / value).toBeCloseTo(many, 9);
        },
      ),
      runs,
    );
  });

  it("has counts that sum to 1 and have the expected purchases as mean", () => {
    const light = fc.tuple(
      fc.double({ min: 0.3, max: 20, noNaN: true }),
      fc.double({ min: 5, max: 50, noNaN: true }),
      parameter,
      parameter,
    );
    fc.assert(
      fc.property(light, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, horizon) => {
        const parameters = parametersOf(values);
        const counts = [...paretoNbdPurchaseDistribution(parameters, horizon, 400)];
        const mean = counts.reduce((sum, chance, x) => sum + x * chance, 0);
        expect(counts.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9);
        expect(mean / paretoNbdNewCustomerPurchases(parameters, horizon)).toBeCloseTo(1, 6);
      }),
      { seed: 7, numRuns: 20 },
    );
  });

  it("has counts as often as simulated", () => {
    const customers = 40_000;
    const { x } = simulateParetoNbd(cdnow, new Float64Array(customers).fill(39), randomSource(5));
    const counts = paretoNbdPurchaseDistribution(cdnow, 39, 6);
    for (const [purchases, chance] of counts.entries()) {
      const share = x.filter((value) => value === purchases).length / customers;
      expect(Math.abs(share - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / customers));
    }
  });

  it("has probabilities in [0, 1] that fall with time, and expectations that grow less and less", () => {
    fc.assert(
      fc.property(anyParameters, anyCustomer, (parameters, customer) => {
        const alive = [0, 1, 10].map((after) => paretoNbdProbabilityAlive(parameters, customer, after));
        const [now = 0, soon = 0, late = 0] = alive;
        expect(now <= 1 && soon <= now && late <= soon && late >= 0).toBe(true);
        const [first = 0, second = 0] = [5, 10].map((t) =>
          paretoNbdExpectedPurchases(parameters, customer, t),
        );
        expect(first).toBeLessThanOrEqual(second);
        expect(second).toBeLessThanOrEqual(2 * first * (1 + 1e-12));
      }),
      runs,
    );
  });

  it("discounts between what its purchases are worth at the ends and at the beginnings of short periods", () => {
    fc.assert(
      fc.property(anyParameters, anyCustomer, (parameters, customer) => {
        const [rate, step, horizon] = [0.2, 0.05, 200];
        const sums = { ends: 0, beginnings: 0 };
        let before = 0;
        for (let period = 1; period * step <= horizon; period++) {
          const now = paretoNbdExpectedPurchases(parameters, customer, period * step);
          sums.ends += (now - before) * Math.exp(-rate * period * step);
          sums.beginnings += (now - before) * Math.exp(-rate * (period - 1) * step);
          before = now;
        }
        const ours = paretoNbdDiscountedPurchases(parameters, customer, rate);
        // Beyond the horizon every purchase is worth less than e^-40.
        expect(ours).toBeGreaterThanOrEqual(sums.ends * (1 - 1e-12));
        expect(ours).toBeLessThanOrEqual(sums.beginnings * (1 + 1e-12) + 1e-12);
      }),
      { seed: 7, numRuns: 20 },
    );
  });

  it("is finite everywhere", () => {
    const random = randomSource(3);
    const draw = (): number => Math.exp(12 * random.uniform() - 6);
    for (let run = 0; run < 2000; run++) {
      const parameters = parametersOf([draw(), draw(), draw(), draw()]);
      const age = 10 ** (6 * random.uniform() - 1);
      const x = random.uniform() < 0.3 ? 0 : Math.ceil(10 ** (4.3 * random.uniform()));
      const late =
        random.uniform() < 0.1
          ? 1
          : random.uniform() < 0.5
            ? random.uniform()
            : 10 ** (-6 * random.uniform());
      const customer = { x, recency: x === 0 ? 0 : late * age, age };
      const gradient = new Float64Array(4);
      const all = [
        paretoNbdLogLikelihood(parameters, oneCell(customer), gradient),
        ...gradient,
        paretoNbdProbabilityAlive(parameters, customer),
        paretoNbdExpectedPurchases(parameters, customer, 52),
        paretoNbdDiscountedPurchases(parameters, customer, 0.0027),
        ...paretoNbdPurchaseDistribution(parameters, age, 2),
      ];
      expect(all.every(Number.isFinite), JSON.stringify({ parameters, customer })).toBe(true);
    }
  });

  it("equals 25-digit evaluations at extreme points", () => {
    // r, alpha, s, beta, x, t_x, T, log-likelihood by mpmath.
    const points = [
      [
        0.0773883802749402, 0.024208123971179184, 48.57346810999563, 3.2745804702590102, 1,
        0.11341449689924255, 0.3228689589232952, -2.7131163494785246,
      ],
      [
        16.84096339783959, 0.39622213191118955, 5.935324508234361, 3.5623899515919204, 0, 0.0,
        1.9275346027299205, -3.2280218267687473,
      ],
      [
        0.7210758572875304, 13.816825502272499, 94.23141354042578, 13.059995814089737, 0, 0.0,
        33619.55847060522, -0.007211098644142322,
      ],
      [
        194.74638466797356, 388.6917788418816, 317.05769511453894, 0.04742363606691402, 0, 0.0,
        13.373011596146812, -7.51754321764429e-5,
      ],
      [
        319.77866420587856, 1.06720649670362, 396.2745759167721, 0.10188002756740211, 0, 0.0,
        0.28961711846887606, -0.07436466467408999,
      ],
      [
        0.012212994647934572, 1.460793403985522, 4.218874754766355, 0.1752243851844625, 8181,
        3511.465293220337, 4094.8105290412927, -1322.3979881776272,
      ],
      [
        0.0026289134443274187, 0.013873431409964986, 26.8871437228541, 0.004218626542519743, 2,
        0.11821291403400364, 0.35546206192016855, -92.51984389726023,
      ],
      [
        2.7493531022525635, 23.157240208265254, 1.3509418767894779, 21.650106673520806, 2, 25.783067438729187,
        59.81097562101438, -9.925463638112634,
      ],
      [
        0.7989889363632519, 14.13293977935595, 72.22507805925567, 0.3021437787940569, 13462,
        1178.188836736535, 2520.7550618575574, 18567.088418324773,
      ],
      [
        0.7133710068567577, 22.43824194831789, 0.1600993308283976, 43.951752115985315, 20, 77.54508160934827,
        98.4383583621866, -55.7753890324387,
      ],
    ];
    for (const [r = 0, alpha = 0, s = 0, beta = 0, x = 0, recency = 0, age = 0, value = 0] of points) {
      const ours = paretoNbdLogLikelihood({ r, alpha, s, beta }, oneCell({ x, recency, age }));
      expect(Math.abs(ours - value)).toBeLessThanOrEqual(1e-11 * Math.max(1, Math.abs(value)));
    }
  });

  it("discounts as the confluent hypergeometric function U(1, 2 - s, z) says, by mpmath", () => {
    const points = [
      [0.012430165355007412, 147.64027424875235, 0.006772653210487142],
      [23.69574337830483, 1.150345528996611e-5, 0.04406110225669253],
      [0.9466943869855572, 0.0024768104848499266, 6.364137791240587],
      [6.166402919391787, 29.152796001020096, 0.028447633236169823],
      [0.007645141287724364, 2.1886167480205744e-8, 40105805.851815306],
      [56.214866311709855, 0.001560288166929056, 0.018110543191174236],
      [23.274561650509217, 1.0599189093832449e-8, 0.04489426167804876],
      [0.519258383298448, 4.554916165685127, 0.20012930807135054],
    ] as const;
    for (const [s, rate, value] of points) {
      const newcomer = { x: 0, recency: 0, age: 0 };
      const ours = paretoNbdDiscountedPurchases({ r: 1, alpha: 1, s, beta: 1 }, newcomer, rate);
      expect(ours / value).toBeCloseTo(1, 11);
    }
  });

  it("settles on sparse data, where r, s and the times run off along ridges", () => {
    const random = randomSource(99);
    const ages = Array.from({ length: 300 }, () => 5 + 50 * random.uniform());
    const sparse = { r: 0.4548, alpha: 32.86, s: 0.7194, beta: 0.4165 };
    const fit = fitParetoNbd(purchaseCells(simulateParetoNbd(sparse, ages, random)));
    expect(fit.converged).toBe(true);
    expect(fit.identification.weak).toBe(true);
    expect(Object.values(fit.standardErrors).every(Number.isFinite)).toBe(true);
  });

  it("refuses parameters, customers and rates that are not possible", () => {
    const customer = { x: 1, recency: 2, age: 3 };
    expect(() => paretoNbdProbabilityAlive({ ...cdnow, s: 0 }, customer)).toThrow(
      "parameter s must be a number above 0, got 0",
    );
    expect(() => paretoNbdProbabilityAlive(cdnow, { ...customer, x: -1 })).toThrow(
      "x must be a whole number",
    );
    expect(() => paretoNbdExpectedPurchases(cdnow, customer, -1)).toThrow(
      "horizon must be a number from 0 up",
    );
    expect(() => paretoNbdDiscountedPurchases(cdnow, customer, 0)).toThrow(
      "discountRate must be a rate per unit of time above 0 (all future purchases are counted), got 0",
    );
    expect(() => paretoNbdPurchaseDistribution(cdnow, 10, 1.5)).toThrow("max must be a whole number");
  });
});
