import { describe, expect, it } from "vitest";
import { fitByLikelihood, fitPositive } from "../../src/clv/fit.js";
import { ConvergenceError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawGamma } from "../../src/numeric/sampling.js";
import { digamma, logGamma, trigamma } from "../../src/numeric/special.js";

/** Log-likelihood of Gamma(shape, rate) data by its sufficient statistics. */
const gammaLikelihood =
  (n: number, sum: number, sumOfLogs: number) =>
  (parameters: Float64Array, gradient: Float64Array): number => {
    const [shape = 0, rate = 0] = parameters;
    gradient[0] = n * (Math.log(rate) - digamma(shape)) + sumOfLogs;
    gradient[1] = (n * shape) / rate - sum;
    return n * (shape * Math.log(rate) - logGamma(shape)) + (shape - 1) * sumOfLogs - rate * sum;
  };

const names = ["shape", "rate"] as const;

function gammaFit(n: number, shape: number, rate: number) {
  const random = randomSource(11);
  const draws = Array.from({ length: n }, () => drawGamma(random, shape, rate));
  const total = (f: (x: number) => number): number => draws.reduce((sum, x) => sum + f(x), 0);
  return fitPositive({
    model: "Gamma",
    names,
    starts: [
      [1, 1],
      [5, 0.1],
    ],
    logLikelihood: gammaLikelihood(
      n,
      total((x) => x),
      total(Math.log),
    ),
    observations: n,
  });
}

describe("fitPositive on a Gamma sample", () => {
  const n = 2000;
  const fit = gammaFit(n, 3, 0.5);
  const { shape, rate } = fit.parameters;

  it("finds the maximum: the fitted mean is the sample mean, and the truth is near", () => {
    expect(fit.converged).toBe(true);
    expect(Math.abs(shape - 3) / fit.standardErrors.shape).toBeLessThan(3);
    expect(Math.abs(rate - 0.5) / fit.standardErrors.rate).toBeLessThan(3);
  });

  it("gives the inverse of Fisher's information, known in closed form", () => {
    // information of one observation: [[trigamma(k), -1/r], [-1/r, k/r^2]]; the data's own Hessian is the same here
    const determinant = n * (trigamma(shape) * shape - 1);
    const exact = [
      [shape / determinant, rate / determinant],
      [rate / determinant, (trigamma(shape) * rate * rate) / determinant],
    ];
    for (const [i, row] of exact.entries()) {
      for (const [j, value] of row.entries())
        expect((fit.covariance[i]?.[j] ?? Number.NaN) / value).toBeCloseTo(1, 6);
    }
    expect(fit.standardErrors.shape).toBe(Math.sqrt(fit.covariance[0]?.[0] ?? Number.NaN));
  });

  it("calls it well identified, with a modest condition number", () => {
    expect(fit.identification.weak).toBe(false);
    expect(fit.identification.ridge).toBe("");
    expect(fit.warnings).toEqual([]);
    // eigenvalues of [[trigamma(k) k^2, -k], [-k, k]] from trace and determinant
    const trace = trigamma(shape) * shape ** 2 + shape;
    const root = Math.sqrt(trace ** 2 - 4 * (trigamma(shape) * shape ** 3 - shape ** 2));
    expect(fit.identification.conditionNumber / ((trace + root) / (trace - root))).toBeCloseTo(1, 6);
  });

  it("is frozen to the bottom and survives JSON", () => {
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    expect(fit.observations).toBe(n);
    for (const part of [
      fit,
      fit.parameters,
      fit.covariance,
      fit.covariance[0],
      fit.identification,
      fit.warnings,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("does not depend on the unit of the data", () => {
    const small = gammaFit(n, 3, 0.5e6); // the same draws in millionths
    expect(small.parameters.shape / shape).toBeCloseTo(1, 6);
    expect(small.parameters.rate / rate / 1e6).toBeCloseTo(1, 6);
    expect(small.standardErrors.rate / fit.standardErrors.rate / 1e6).toBeCloseTo(1, 5);
  });
});

describe("fitPositive on a ridge", () => {
  /** 1000 exponential waiting times of sum 500, with rate = a b (or a / b): only the product is determined. */
  const ridge = (power: 1 | -1) =>
    fitPositive({
      model: "Ridge",
      names: ["a", "b"],
      starts: [[1, 1]],
      logLikelihood: (parameters, gradient) => {
        const [a = 0, b = 0] = parameters;
        const rate = a * b ** power;
        const slope = 1000 - 500 * rate;
        gradient.set([slope / a, (power * slope) / b]);
        return 1000 * Math.log(rate) - 500 * rate;
      },
      observations: 1000,
    });

  it("names the parameters that move together and how", () => {
    expect(ridge(1).identification.weak).toBe(true);
    expect(ridge(1).identification.ridge).toMatch(/^(a rises while b|b rises while a) falls$/);
    expect(ridge(-1).identification).toMatchObject({ weak: true, ridge: "a and b rise together" });
    expect(ridge(1).warnings.join()).toMatch(
      /^Ridge: weakly identified: .* errors cover only movements across this ridge/,
    );
  });

  it("gives finite errors that hold across the ridge", () => {
    const fit = ridge(1);
    const { a, b } = fit.parameters;
    expect(a * b).toBeCloseTo(2, 6);
    // variance of log(ab) is exactly 1/1000; seen from the log parameters it is shared alike: 1/4000 each
    expect((fit.standardErrors.a / a) ** 2 * 4000).toBeCloseTo(1, 5);
    const [[aa = 0, ab = 0] = [], [, bb = 0] = []] = fit.covariance;
    expect((aa / (a * a) + (2 * ab) / (a * b) + bb / (b * b)) * 1000).toBeCloseTo(1, 5);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    expect(fit.identification.conditionNumber).toBeGreaterThan(1e6);
  });

  it("names the parameters that the errors leave out", () => {
    expect(ridge(1).identification.undetermined).toEqual(["a", "b"]);
    expect(gammaFit(2000, 3, 0.5).identification.undetermined).toEqual([]);
  });

  it("warns of a single parameter that the data hardly touch", () => {
    const fit = fitPositive({
      model: "Loose",
      names: ["rate", "idle"],
      starts: [[1, 1]],
      logLikelihood: (parameters, gradient) => {
        const [rate = 0, idle = 0] = parameters;
        gradient.set([10 / rate - 5, (-0.01 * Math.log(idle)) / idle]); // variance of log(idle): 100
        return 10 * Math.log(rate) - 5 * rate - 0.005 * Math.log(idle) ** 2;
      },
      observations: 10,
    });
    expect(fit.identification).toMatchObject({
      weak: true,
      ridge: "idle alone is not determined",
      undetermined: [],
    });
    expect(fit.standardErrors.idle / fit.parameters.idle).toBeCloseTo(10, 4); // its own, not left out
    expect(fit.standardErrors.rate / fit.parameters.rate).toBeCloseTo(Math.sqrt(0.1), 6);
  });
});

describe("fitByLikelihood with a free parameter", () => {
  /** 400 normal observations of mean -3 and standard deviation 2, by their sufficient statistics. */
  const normal = (starts: readonly (readonly number[])[], mean = -3) =>
    fitByLikelihood({
      model: "Normal",
      positive: ["sigma"],
      free: ["mu"],
      starts,
      logLikelihood: (parameters, gradient) => {
        const [sigma = 0, mu = 0] = parameters;
        const squares = 400 * (4 + (mean - mu) ** 2);
        gradient.set([squares / sigma ** 3 - 400 / sigma, (400 * (mean - mu)) / sigma ** 2]);
        return -400 * Math.log(sigma) - squares / (2 * sigma ** 2);
      },
      observations: 400,
    });

  it("gives the estimates and errors known in closed form, below 0 too", () => {
    const { parameters, standardErrors, covariance, identification } = normal([[1, 0]]);
    expect(Object.keys(parameters)).toEqual(["sigma", "mu"]);
    expect(parameters.mu).toBeCloseTo(-3, 7);
    expect(parameters.sigma).toBeCloseTo(2, 7);
    expect(standardErrors.mu).toBeCloseTo(2 / Math.sqrt(400), 8);
    expect(standardErrors.sigma).toBeCloseTo(2 / Math.sqrt(800), 8);
    expect(covariance[0]?.[1]).toBeCloseTo(0, 8);
    expect(identification.conditionNumber).toBeCloseTo(8, 4); // information 800 on log sigma, 100 on mu
  });

  it("refuses starts out of reach and a maximum beyond the search", () => {
    const wanted = "a start of Normal must be 1 numbers above 0 (sigma) and then 1 below 23 (mu), got";
    expect(() => normal([[1, 30]])).toThrow(new RangeError(`${wanted} 1, 30`));
    expect(() => normal([[1, Number.NaN]])).toThrow(new RangeError(`${wanted} 1, NaN`));
    expect(() => normal([[1, 0]], 24.5)).toThrow(
      /^Normal has no maximum: mu runs to 24, where the log-likelihood still rises by [\d.e+]+ for each unit$/,
    );
  });
});

describe("fitPositive where there is no fit", () => {
  const fitOf = (logLikelihood: (parameters: Float64Array, gradient: Float64Array) => number) => () =>
    fitPositive({
      model: "None",
      names: ["a"],
      starts: [[1], [2]],
      logLikelihood,
      observations: 1,
      simplerModel: "NBD",
    });

  it("says what was tried and what to try instead", () => {
    expect(fitOf(() => Number.NEGATIVE_INFINITY)).toThrow(ConvergenceError);
    expect(fitOf(() => Number.NaN)).toThrow(
      /^None did not settle: 2 starts, \d+ evaluations, and the likelihood is not finite at any of them; a simpler model may fit: NBD$/,
    );
  });

  it("does not call the edge of the search a fit", () => {
    const rising = fitOf((parameters, gradient) => {
      gradient[0] = 1 / (parameters[0] ?? 0);
      return Math.log(parameters[0] ?? 0);
    });
    expect(rising).toThrow(ConvergenceError);
    expect(rising).toThrow(
      "None has no maximum: a runs to 2e+10, where the log-likelihood still rises by 1.0 for each factor e; a simpler",
    );
    const steep = fitOf((parameters, gradient) => {
      gradient[0] = 1e4 / (parameters[0] ?? 0); // too steep for the penalty: the hard limit stops it
      return 1e4 * Math.log(parameters[0] ?? 0);
    });
    expect(steep).toThrow(
      /^None did not settle: 2 starts, .* relative gradient 1\.0e\+0 left, .* at a=7\.2\d*e\+10/,
    );
  });

  it("warns where the data want a limiting case, with the likelihood flat", () => {
    const limiting = fitOf((parameters, gradient) => {
      const a = parameters[0] ?? 0;
      gradient[0] = 0.01 / a;
      return 0.01 * Math.log(a) - 5;
    })();
    expect(limiting.warnings.join()).toContain(
      "a runs to 1e+10, the edge of the search: the data want the limiting case",
    );
    expect(limiting.logLikelihood).toBe(0.01 * Math.log(limiting.parameters.a) - 5); // without the penalty
    expect(limiting.identification).toMatchObject({ weak: true, ridge: "a alone is not determined" });
    expect(JSON.parse(JSON.stringify(limiting))).toEqual(limiting);
  });

  it("refuses starts that do not fit the parameters", () => {
    const start = (values: number[]) => () =>
      fitPositive({
        model: "Gamma",
        names,
        starts: [values],
        logLikelihood: gammaLikelihood(1, 1, 0),
        observations: 1,
      });
    expect(start([1])).toThrow(
      new RangeError("a start of Gamma must be 2 numbers above 0 (shape, rate), got 1"),
    );
    expect(start([1, 0])).toThrow(RangeError);
  });
});
