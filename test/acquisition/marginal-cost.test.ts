import { describe, expect, it } from "vitest";
import { ceilingOf, marginalCost, responseEstimate } from "../../src/acquisition/marginal-cost.js";
import { marginalResponse, type ResponseCurve, responseAt } from "../../src/acquisition/response-curve.js";
import { fitResponseCurve, type ResponseFit, simulateResponse } from "../../src/acquisition/response-fit.js";
import { randomSource } from "../../src/numeric/random.js";

const eight = [1000, 2000, 3500, 5000, 8000, 12000, 20000, 30000];
const fit = fitResponseCurve(
  { spend: eight, won: [31, 57, 89, 127, 172, 230, 268, 291] },
  { shape: "negative-exponential" },
);
const months = (count: number): number[] =>
  Array.from({ length: count }, (_, row) => 1000 + (32_000 * ((row * 7) % count)) / count);

describe("marginal cost", () => {
  it("is one by the slope, with the profile interval", () => {
    // Recomputed in SciPy: profile over the rate by bounded search, ends by Brent's method.
    const { value, low, high } = marginalCost(fit, 20_000);
    expect(value).toBeCloseTo(250.352, 2);
    expect(low).toBeCloseTo(193.08, 2);
    expect(high).toBeCloseTo(338.68, 2);
    expect(value).toBeCloseTo(1 / marginalResponse(fit, 20_000), 10);
  });

  it("has a delta interval near it where the curve is well determined", () => {
    const profile = marginalCost(fit, 5000);
    const delta = marginalCost(fit, 5000, { method: "delta" });
    expect(delta.value).toBe(profile.value);
    expect((delta.low as number) / (profile.low as number)).toBeCloseTo(1, 1);
    expect((delta.high as number) / (profile.high as number)).toBeCloseTo(1, 1);
    expect((delta.low as number) * (delta.high as number)).toBeCloseTo(delta.value ** 2, 6);
  });

  it("has the delta interval of a numeric derivative, in a pool too", () => {
    // The gradient of the log slope by differences of fits' parameters, through the public functions alone.
    const spend = months(36);
    const segment = spend.map((_, row) => (row % 2 === 0 ? "north" : "south"));
    const shapes: ResponseCurve[] = [
      { shape: "hill", parameters: { ceiling: 300, half: 9000, exponent: 1.8 } },
      { shape: "log", parameters: { scale: 80, threshold: 4000 } },
      { shape: "power", parameters: { scale: 1, exponent: 0.55 } },
      { shape: "adbudg", parameters: { ceiling: 300, half: 9000, exponent: 2.5, floorShare: 0.2 } },
      { shape: "negative-exponential", parameters: { ceiling: 300, rate: 1e-4 } },
    ];
    for (const curve of shapes) {
      const truth = { ...curve, costFactors: { north: 1, south: 1.6 } };
      const data = simulateResponse(truth, { spend, segment }, { random: randomSource(5) });
      const own = fitResponseCurve(data, { shape: curve.shape, errors: "Poisson" });
      const pool = { segment: "south", exposure: 1.3 };
      for (const [estimate, at] of [
        [marginalCost, (moved: ResponseCurve) => 1 / marginalResponse(moved, 15_000, pool)],
        [responseEstimate, (moved: ResponseCurve) => responseAt(moved, 15_000, pool)],
      ] as const) {
        const { value, low, high } = estimate(own, 15_000, { ...pool, method: "delta" });
        const error = deltaError(own, at);
        expect(Math.log((high as number) / value) / 1.6448536269514722 / error).toBeCloseTo(1, 6);
        expect(Math.log(value / (low as number)) / 1.6448536269514722 / error).toBeCloseTo(1, 6);
      }
    }
  });

  it.each([
    ["a well determined curve", { ceiling: 300, rate: 1e-4 }, 36, 1, 20_000],
    ["counts that vary three times as much as by chance", { ceiling: 300, rate: 1e-4 }, 36, 3, 20_000],
    ["a curve hardly bent, beyond the data", { ceiling: 600, rate: 2e-5 }, 24, 1, 60_000],
  ])("covers the true cost of %s", (_, parameters, count, dispersion, at) => {
    const curve = { shape: "negative-exponential", parameters } as const;
    expectCoverage(curve, { count, dispersion, at, worlds: 200, methods: ["profile", "delta"] });
  });

  it("covers where six months are almost straight, and where eight hardly show an S", () => {
    expectCoverage(
      { shape: "log", parameters: { scale: 20, threshold: 20_000 } },
      { count: 6, dispersion: 1, at: 30_000, worlds: 300, methods: ["profile"] },
    );
    expectCoverage(
      { shape: "hill", parameters: { ceiling: 60, half: 9000, exponent: 1.8 } },
      { count: 8, dispersion: 1, at: 30_000, worlds: 200, methods: ["profile"] },
    );
  });

  it("has wider intervals where the dispersion is estimated from few rows", () => {
    const won = [21, 62, 50, 101, 85, 158, 130, 236];
    const power = fitResponseCurve({ spend: eight, won }, { shape: "power" });
    const { value, low, high } = marginalCost(power, 5000, { method: "delta" });
    const error = deltaError(power, (curve) => 1 / marginalResponse(curve, 5000));
    // The 95 % quantile of Student's distribution with 6 degrees of freedom, as tabled: 1.943.
    expect(Math.log((high as number) / value) / error).toBeCloseTo(1.943, 3);
    expect(Math.log(value / (low as number)) / error).toBeCloseTo(1.943, 3);
  });

  it("warns beyond the spends observed", () => {
    expect(marginalCost(fit, 30_000).warnings).toEqual([]);
    expect(marginalCost(fit, 31_000).warnings).toEqual([
      'spends were observed from 1000 to 30000 only: at 31000 the shape "negative-exponential" decides, not the data',
    ]);
  });

  it("refuses a spend where the curve has no slope to speak of", () => {
    const { data } = fit;
    expect(() => marginalCost(fitResponseCurve(data, { shape: "power" }), 0)).toThrow(
      new RangeError("spend must be one where the curve rises by a finite amount, got 0"),
    );
    expect(() => marginalCost(fit, -1)).toThrow(new RangeError("spend must be a number from 0 up, got -1"));
    expect(() => marginalCost(fit, 1000, { level: 90 })).toThrow(
      new RangeError("level must be between 0 and 1, got 90"),
    );
    expect(() => responseEstimate(fit, 0)).toThrow(
      new RangeError("spend must be one where customers are won, got 0"),
    );
  });
});

describe("ceiling", () => {
  it("has an interval where the curve levels off", () => {
    const ceiling = ceilingOf(fit);
    if (ceiling.status !== "determined") throw new Error(ceiling.status);
    const { value, low = 0, high = 0 } = ceiling.estimate;
    expect(value).toBe(fit.parameters["ceiling"]);
    const error = fit.standardErrors["ceiling"] as number;
    expect(low).toBeGreaterThan(value - 2 * error);
    expect(low).toBeLessThan(value - 1.3 * error);
    expect(high).toBeGreaterThan(value + 1.3 * error);
    const double = ceilingOf(fit, { exposure: 2 });
    expect(double).toMatchObject({ status: "determined", estimate: { value: 2 * value, low: 2 * low } });
  });

  it("has a lower end alone on the straight part, and that is below the truth", () => {
    const curve = { shape: "negative-exponential", parameters: { ceiling: 3000, rate: 2e-6 } } as const;
    const random = randomSource(12);
    const worlds = 100;
    let below = 0;
    let open = 0;
    for (let world = 0; world < worlds; world++) {
      const data = simulateResponse(curve, { spend: months(24) }, { random });
      const ceiling = ceilingOf(fitResponseCurve(data, { shape: "negative-exponential" }));
      if (ceiling.status === "not determined") open++;
      const least = ceiling.status === "determined" ? ceiling.estimate.low : ceiling.atLeast;
      if ((least as number) < 3000) below++;
    }
    expect(open / worlds).toBeGreaterThan(0.8);
    // 95 % are expected below.
    expect(below / worlds).toBeGreaterThan(0.95 - 3 * Math.sqrt((0.95 * 0.05) / worlds));
  });

  it("is refused for a shape that has none", () => {
    const log = fitResponseCurve(fit.data, { shape: "log" });
    expect(() => ceilingOf(log)).toThrow(new RangeError('shape must be one with a ceiling, got "log"'));
  });
});

/** Standard error of the log of a quantity, from the covariance of the natural parameters and differences. */
function deltaError(own: ResponseFit, quantity: (curve: ResponseCurve) => number): number {
  const names = Object.keys(own.standardErrors);
  const moved = (name: string, by: number): ResponseCurve => {
    const segment = name.replace("cost factor ", "");
    return segment === name
      ? { ...own, parameters: { ...own.parameters, [name]: (own.parameters[name] as number) * by } }
      : {
          ...own,
          costFactors: { ...own.costFactors, [segment]: (own.costFactors?.[segment] as number) * by },
        };
  };
  const valueAt = (name: string): number =>
    own.parameters[name] ?? (own.costFactors?.[name.replace("cost factor ", "")] as number);
  const step = 1e-5;
  const gradient = names.map(
    (name) =>
      Math.log(quantity(moved(name, 1 + step)) / quantity(moved(name, 1 - step))) /
      (2 * step * valueAt(name)),
  );
  let variance = 0;
  for (const [i, row] of own.covariance.entries()) {
    for (const [j, value] of row.entries())
      variance += (gradient[i] as number) * value * (gradient[j] as number);
  }
  return Math.sqrt(variance);
}

/** The share of worlds whose interval holds the truth is the level, to within chance. */
function expectCoverage(
  curve: ResponseCurve,
  world: {
    readonly count: number;
    readonly dispersion: number;
    readonly at: number;
    readonly worlds: number;
    readonly methods: readonly ("profile" | "delta")[];
  },
): void {
  const { count, dispersion, at, worlds, methods } = world;
  const truth = 1 / marginalResponse(curve, at);
  const random = randomSource(21);
  const hits = methods.map(() => 0);
  for (let k = 0; k < worlds; k++) {
    const data = simulateResponse(curve, { spend: months(count) }, { random, dispersion });
    const own = fitResponseCurve(data, { shape: curve.shape });
    for (const [place, method] of methods.entries()) {
      const { low = 0, high = Number.POSITIVE_INFINITY } = marginalCost(own, at, { method });
      if (low <= truth && truth <= high) hits[place] = (hits[place] as number) + 1;
    }
  }
  const error = Math.sqrt((0.9 * 0.1) / worlds);
  for (const [place, method] of methods.entries()) {
    expect((hits[place] as number) / worlds, method).toBeGreaterThan(0.9 - 3 * error);
  }
}
