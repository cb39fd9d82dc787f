import { describe, expect, it } from "vitest";
import { type ResponseCurve, responseAt } from "../../src/acquisition/response-curve.js";
import {
  compareResponseShapes,
  fitResponseCurve,
  type ResponseData,
  type ResponseFit,
  readRows,
  responseLikelihood,
  responseSummary,
  simulateResponse,
} from "../../src/acquisition/response-fit.js";
import { type ResponseShape, searched, shapeNames } from "../../src/acquisition/response-shapes.js";
import { DataError } from "../../src/core/errors.js";
import { checkGradient } from "../../src/numeric/derivatives.js";
import { randomSource } from "../../src/numeric/random.js";

const spend = Array.from({ length: 36 }, (_, row) => 1000 + 900 * ((row * 7) % 36));
const truths: Readonly<Record<ResponseShape, Readonly<Record<string, number>>>> = {
  log: { scale: 80, threshold: 4000 },
  "negative-exponential": { ceiling: 300, rate: 1e-4 },
  hill: { ceiling: 300, half: 9000, exponent: 1.8 },
  power: { scale: 1, exponent: 0.55 },
  adbudg: { ceiling: 300, half: 9000, exponent: 2.5, floorShare: 0.2 },
};
const eight = [1000, 2000, 3500, 5000, 8000, 12000, 20000, 30000];

describe("response curve fit", () => {
  it("of a power curve is the Poisson regression on the log spend, with quasi-likelihood errors", () => {
    // Recomputed by iteratively reweighted least squares in NumPy 2.
    const fit = fitResponseCurve(
      { spend: eight, won: [21, 62, 50, 101, 85, 158, 130, 236] },
      { shape: "power" },
    );
    expect(fit.parameters["scale"]).toBeCloseTo(0.6317268415, 9);
    expect(fit.parameters["exponent"]).toBeCloseTo(0.5664737055, 9);
    expect(fit.dispersion).toBeCloseTo(6.598994119, 8);
    expect(fit.standardErrors["scale"]).toBeCloseTo(0.5575327735, 8);
    expect(fit.standardErrors["exponent"]).toBeCloseTo(0.0942638584, 8);
    expect(fit.logLikelihood).toBeCloseTo(-45.161450644, 8);
    expect(fit.observations).toBe(8);
    expect(fit.warnings).toEqual([
      "the numbers won vary 6.6 times as much as by chance: something beside the spend moves them",
    ]);
  });

  it("of curves with a ceiling agrees with another optimiser", () => {
    // Recomputed by Nelder-Mead in SciPy; standard errors from the expected information in NumPy.
    const data = { spend: eight, won: [31, 57, 89, 127, 172, 230, 268, 291] };
    const fit = fitResponseCurve(data, { shape: "negative-exponential" });
    expect(fit.parameters["ceiling"]).toBeCloseTo(307.8963, 4);
    expect(fit.parameters["rate"]).toBeCloseTo(0.000104145382, 11);
    expect(fit.logLikelihood).toBeCloseTo(-27.130325943, 8);
    expect(fit.standardErrors["ceiling"]).toBeCloseTo(17.9928, 3);
    expect(fit.standardErrors["rate"]).toBeCloseTo(1.12839e-5, 9);
    expect(fit.dispersion).toBe(1);
    const hill = fitResponseCurve(data, { shape: "hill" });
    expect(hill.parameters["ceiling"]).toBeCloseTo(372.005, 2);
    expect(hill.parameters["half"]).toBeCloseTo(8884.45, 1);
    expect(hill.parameters["exponent"]).toBeCloseTo(1.141897, 5);
    expect(hill.logLikelihood).toBeCloseTo(-27.48338494, 7);
    expect(responseSummary(fit)).toBe(
      '"negative-exponential" ceiling=307.9 rate=0.0001041 LL=-27.1 dispersion=1.00',
    );
  });

  describe.each(shapeNames)("of shape %s", (shape) => {
    const parameters = truths[shape];
    const curve: ResponseCurve = { shape, parameters, costFactors: { north: 1, south: 1.5, west: 0.7 } };
    const pools = {
      spend,
      segment: spend.map((_, row) => ["north", "south", "west"][row % 3] as string),
      exposure: spend.map((_, row) => [1, 2, 0.5][row % 3] as number),
    };

    it("has the gradient of its likelihood, in every pool", () => {
      const data = simulateResponse(curve, pools, { random: randomSource(1) });
      const { negative, penalised } = responseLikelihood(readRows(data, shape), shape);
      const x = [
        ...Object.entries(parameters).map(([name, value]) => searched(name, value) + 0.1),
        0.2,
        -0.3,
      ];
      expect(checkGradient(negative, x)).toBeLessThan(1e-8);
      const far = x.map((value, k) => (k === 1 ? value - 12 : value));
      expect(checkGradient(penalised, far)).toBeLessThan(1e-8);
    });

    it("recovers the parameters that generated the data, within its standard errors", () => {
      for (const seed of [1, 2, 3]) {
        const data = simulateResponse({ shape, parameters }, { spend }, { random: randomSource(seed) });
        const fit = fitResponseCurve(data, { shape });
        expect(fit.converged).toBe(true);
        expect(fit.identification.weak).toBe(false);
        expectWithinErrors(fit, parameters);
      }
    });

    it("recovers cost factors of segments that share the curve", () => {
      const data = simulateResponse(curve, pools, { random: randomSource(4) });
      const fit = fitResponseCurve(data, { shape });
      expectWithinErrors(fit, { ...parameters, "cost factor south": 1.5, "cost factor west": 0.7 });
      expect(fit.costFactors?.["north"]).toBe(1);
    });
  });

  it("keeps segments apart that are named by numbers", () => {
    const segment = spend.map((_, row) => (row % 2 === 0 ? "20" : "3"));
    const curve = { shape: "log", parameters: truths.log, costFactors: { 3: 1, 20: 1.8 } } as const;
    const data = simulateResponse(curve, { spend, segment }, { random: randomSource(4) });
    const fit = fitResponseCurve(data, { shape: "log" });
    expect(fit.costFactors?.["3"]).toBe(1);
    expectWithinErrors(fit, { "cost factor 20": 1.8 });
  });

  it("has honest standard errors: they are the scatter of the estimates over many worlds", () => {
    const worlds = 300;
    const curve = { shape: "negative-exponential", parameters: truths["negative-exponential"] } as const;
    const random = randomSource(9);
    const fits = Array.from({ length: worlds }, () =>
      fitResponseCurve(simulateResponse(curve, { spend }, { random, dispersion: 3 }), curve),
    );
    const ceilings = fits.map((fit) => Math.log(fit.parameters["ceiling"] as number));
    const mean = ceilings.reduce((sum, value) => sum + value, 0) / worlds;
    const scatter = Math.sqrt(ceilings.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (worlds - 1));
    const stated = fits.reduce(
      (sum, fit) =>
        sum + (fit.standardErrors["ceiling"] as number) / (fit.parameters["ceiling"] as number) / worlds,
      0,
    );
    // A standard deviation from n normal numbers has a relative standard error of 1 / sqrt(2 n), here 4 %.
    expect(Math.abs(scatter / stated - 1)).toBeLessThan(3 / Math.sqrt(2 * worlds));
    const dispersion = fits.reduce((sum, fit) => sum + fit.dispersion / worlds, 0);
    // Each is about 3 chi-square(34) / 34, with a standard error of 3 sqrt(2 / 34) = 0.73.
    expect(Math.abs(dispersion - 3)).toBeLessThan((3 * 0.73) / Math.sqrt(worlds));
  });

  it("trusts the counts if told so", () => {
    const data = { spend: eight, won: [21, 62, 50, 101, 85, 158, 130, 236] };
    const trusting = fitResponseCurve(data, { shape: "power", errors: "Poisson" });
    const careful = fitResponseCurve(data, { shape: "power" });
    expect(trusting.dispersion).toBe(1);
    expect(trusting.parameters).toEqual(careful.parameters);
    expect(careful.standardErrors["exponent"] as number).toBeCloseTo(
      Math.sqrt(careful.dispersion) * (trusting.standardErrors["exponent"] as number),
      12,
    );
  });

  it("does not depend on the units of money and pools", () => {
    const data = simulateResponse(
      { shape: "hill", parameters: truths.hill },
      { spend },
      { random: randomSource(6) },
    );
    const fit = fitResponseCurve(data, { shape: "hill" });
    const cents = fitResponseCurve({ ...data, spend: spend.map((money) => 100 * money) }, { shape: "hill" });
    expect((cents.parameters["half"] as number) / (fit.parameters["half"] as number)).toBeCloseTo(100, 4);
    expect(cents.logLikelihood).toBeCloseTo(fit.logLikelihood, 8);
    const heads = fitResponseCurve({ ...data, exposure: spend.map(() => 1000) }, { shape: "hill" });
    expect((fit.parameters["ceiling"] as number) / (heads.parameters["ceiling"] as number)).toBeCloseTo(
      1000,
      3,
    );
    expect(responseAt(heads, 9000, { exposure: 1000 })).toBeCloseTo(responseAt(fit, 9000), 4);
  });

  it("is frozen and survives JSON, also on a ridge", () => {
    for (const won of [spend.map((money) => Math.round(money / 100)), spend.map(() => 100)]) {
      for (const shape of shapeNames) {
        const fit = fitResponseCurve({ spend, won }, { shape });
        expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
        expect(Object.isFrozen(fit.parameters)).toBe(true);
      }
    }
  });
});

describe("a curve that the data do not determine", () => {
  const straight = { spend, won: spend.map((money) => Math.round(money / 100)) };

  it("seen on its straight part has no ceiling: it says so, and predicts the straight line", () => {
    const fit = fitResponseCurve(straight, { shape: "negative-exponential" });
    expect(fit.identification).toMatchObject({
      weak: true,
      undetermined: ["ceiling", "rate"],
      ridge:
        "ceiling, rate not determined: over the spends observed, 1000 to 32500, the curve shows no sign of a ceiling; it holds within them only",
    });
    expect(fit.warnings).toContain(fit.identification.ridge);
    expect(responseSummary(fit)).toContain("ceiling=? rate=?");
    // The edge of the search bends the curve by less than a thousandth.
    for (const money of [1000, 10_000, 32_500]) {
      expect(Math.abs(responseAt(fit, money) / (money / 100) - 1)).toBeLessThan(1e-3);
    }
    const log = fitResponseCurve(straight, { shape: "log" });
    expect(log.identification.undetermined).toEqual(["scale", "threshold"]);
    expect(log.warnings[0]).toContain("the curve is almost straight");
  });

  it("seen where it is flat has a ceiling, but no rate", () => {
    const fit = fitResponseCurve({ spend, won: spend.map(() => 100) }, { shape: "negative-exponential" });
    expect(fit.identification.undetermined).toEqual(["rate"]);
    expect(fit.parameters["ceiling"]).toBeCloseTo(100, 1);
  });

  it.each<[ResponseShape, string, number]>([
    ["log", "threshold", 20],
    ["negative-exponential", "rate", 20],
    ["hill", "half", 20],
    ["adbudg", "exponent", 6],
  ])("of shape %s is named in worlds without its bend, and in no world with it", (shape, name, worlds) => {
    const curve: ResponseCurve = { shape, parameters: truths[shape] };
    const namedIn = (spends: readonly number[]): number => {
      const random = randomSource(11);
      return Array.from({ length: worlds }, () =>
        fitResponseCurve(simulateResponse(curve, { spend: spends }, { random, dispersion: 3 }), { shape }),
      ).filter(({ identification }) => identification.undetermined.includes(name)).length;
    };
    // In 100 worlds each: 93 to 100 named without the bend, 0 with it.
    expect(namedIn(spend.map((money) => (shape === "adbudg" ? 10 * money : money / 30)))).toBeGreaterThan(
      worlds * 0.93 - 3 * Math.sqrt(worlds * 0.93 * 0.07),
    );
    expect(namedIn(spend)).toBe(0);
  });

  it("is named where the curvature at the estimate promises too much", () => {
    // All spends are near saturation: a rate 7 times as high fits as well, though the standard error of its log is below 1.
    const shape = "negative-exponential";
    const flat = spend.map((money) => 100_000 + 10 * money);
    const random = randomSource(12);
    const fits = Array.from({ length: 20 }, () =>
      fitResponseCurve(simulateResponse({ shape, parameters: truths[shape] }, { spend: flat }, { random }), {
        shape,
      }),
    ).filter(
      ({ standardErrors, parameters, identification }) =>
        (standardErrors["rate"] as number) < (parameters["rate"] as number) && identification.weak,
    );
    expect(fits.length).toBeGreaterThan(0);
    for (const { data, parameters, logLikelihood, dispersion, identification } of fits) {
      expect(identification.undetermined).toEqual(["rate"]);
      const rate = 7 * (parameters["rate"] as number);
      const reached = data.spend.reduce((sum, money) => sum - Math.expm1(-rate * money), 0);
      const ceiling = data.won.reduce((sum, won) => sum + won, 0) / reached; // the best one at this rate
      const { negative } = responseLikelihood(readRows(data, shape), shape);
      const other = -negative(Float64Array.of(Math.log(ceiling), Math.log(rate)), new Float64Array(2));
      expect(2 * (logLikelihood - other)).toBeLessThan(4 * dispersion);
    }
  });

  it("is named where all spends are equal", () => {
    const equal = { spend: [500, 500, 500], won: [10, 12, 9] };
    expect(() => fitResponseCurve(equal, { shape: "log" })).toThrow(
      new DataError("response data: at least 2 different spends are needed for scale, threshold, got 1"),
    );
    expect(() => fitResponseCurve({ spend: [500], won: [10] }, { shape: "power" })).toThrow(
      new DataError("response data: at least 2 different spends are needed for scale, exponent, got 1"),
    );
    expect(() => fitResponseCurve({ spend: [500, 800], won: [10, 12] }, { shape: "hill" })).toThrow(
      new DataError(
        "response data: at least 3 different spends are needed for ceiling, half, exponent, got 2",
      ),
    );
    const segment = ["north", "south", "south"];
    expect(() => fitResponseCurve({ ...equal, segment }, { shape: "power" })).toThrow(
      new DataError(
        "response data: at least 3 different spends over the segments are needed for scale, exponent, got 1",
      ),
    );
  });

  it("goes through as many points as it has parameters, and says that nothing is left to check it", () => {
    const fit = fitResponseCurve({ spend: [1000, 4000], won: [50, 100] }, { shape: "power" });
    expect(fit.parameters["exponent"]).toBeCloseTo(0.5, 8);
    expect(fit.warnings).toEqual([
      "as many parameters as rows: the dispersion cannot be estimated and is taken as 1",
    ]);
  });
});

describe("comparison of shapes", () => {
  it("finds the shape that generated the data", () => {
    for (const shape of ["power", "negative-exponential", "hill"] as const) {
      const data = simulateResponse(
        { shape, parameters: truths[shape] },
        { spend },
        { random: randomSource(2) },
      );
      const { shapes: ranked, failed } = compareResponseShapes(data);
      expect(ranked[0]?.shape).toBe(shape);
      expect(ranked[0]?.difference).toBe(0);
      expect(ranked.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(failed).toEqual([]);
    }
  });

  it("weighs by Akaike's criterion, divided by the least dispersion", () => {
    const data = { spend: eight, won: [21, 62, 50, 101, 85, 158, 130, 236] };
    const { shapes: ranked, dispersion } = compareResponseShapes(data, ["power", "log"]);
    const [best, other] = ranked as [(typeof ranked)[number], (typeof ranked)[number]];
    expect(dispersion).toBe(Math.min(best.fit.dispersion, other.fit.dispersion));
    expect(best.qaic).toBeCloseTo((-2 * best.fit.logLikelihood) / dispersion + 4, 10);
    expect(best.weight / other.weight).toBeCloseTo(Math.exp(other.difference / 2), 10);
  });

  it("needs a shape", () => {
    expect(() => compareResponseShapes({ spend: [1000, 4000], won: [50, 100] }, [])).toThrow(
      new RangeError("candidates must hold at least one shape, got none"),
    );
  });

  it("names shapes that have too many parameters for the data", () => {
    const { failed } = compareResponseShapes({ spend: [1000, 4000], won: [50, 100] });
    expect(failed).toEqual([
      {
        shape: "hill",
        reason: "response data: at least 3 different spends are needed for ceiling, half, exponent, got 2",
      },
    ]);
  });
});

describe("bad response data", () => {
  const curveOf = (data: Partial<ResponseData>, shape: ResponseShape = "log") =>
    fitResponseCurve({ spend: [1000, 2000, 3000], won: [10, 20, 25], ...data }, { shape });

  it("is refused with its place", () => {
    expect(() => curveOf({ spend: [1000, -5, 3000] })).toThrow(
      new DataError("response data: spend in row 2 must be a number from 0 up, got -5"),
    );
    expect(() => curveOf({ won: [10, 20.5, 25] })).toThrow(
      new DataError("response data: won in row 2 must be a whole number from 0 up, got 20.5"),
    );
    expect(() => curveOf({ won: [10, 20] })).toThrow(
      new DataError("response data: won must have 3 rows like spend, got 2"),
    );
    expect(() => curveOf({ exposure: [1, 1, 0] })).toThrow(
      new DataError("response data: exposure in row 3 must be a number above 0, got 0"),
    );
    expect(() => curveOf({ won: [0, 0, 0] })).toThrow(
      new DataError("response data: at least one customer must be won, got none"),
    );
    expect(() => curveOf({ won: [10, 20, 0], segment: ["a", "a", "b"] })).toThrow(
      new DataError("response data: at least one customer must be won in segment b, got none"),
    );
    expect(() => curveOf({ spend: [], won: [] })).toThrow(
      new DataError("response data: at least one row is needed, got none"),
    );
    expect(() => curveOf({}, "gompertz" as ResponseShape)).toThrow(
      new RangeError("shape must be one of log, negative-exponential, hill, power, adbudg, got gompertz"),
    );
  });

  it("with customers who cost nothing asks for a floor; rows without spend and customers say nothing", () => {
    expect(() => curveOf({ spend: [0, 2000, 3000] })).toThrow(
      new DataError(
        'response data: won in row 1 must be 0 where nothing is spent, got 10: leave organic customers out, or use the shape "adbudg", which has a floor',
      ),
    );
    const without = curveOf({ spend: [1000, 2000, 3000, 0], won: [10, 20, 25, 0] });
    expect(without.observations).toBe(3);
    expect(without.parameters).toEqual(curveOf({}).parameters);
    const floor = simulateResponse(
      { shape: "adbudg", parameters: truths.adbudg },
      { spend: [0, 0, 0, ...spend] },
      { random: randomSource(3) },
    );
    expectWithinErrors(fitResponseCurve(floor, { shape: "adbudg" }), truths.adbudg);
  });

  it("cannot be simulated with less than chance", () => {
    const curve = { shape: "power", parameters: truths.power } as const;
    expect(() => simulateResponse(curve, { spend }, { random: randomSource(1), dispersion: 0.5 })).toThrow(
      new RangeError("dispersion must be 1 or more, got 0.5"),
    );
  });
});

function expectWithinErrors(fit: ResponseFit, truth: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(truth)) {
    const estimate =
      fit.parameters[name] ?? fit.costFactors?.[name.replace("cost factor ", "")] ?? Number.NaN;
    const error = fit.standardErrors[name] as number;
    expect(Math.abs(estimate - value), name).toBeLessThan(3 * error);
    expect(error, name).toBeLessThan(0.5 * value);
  }
}
