import { beforeAll, describe, expect, it } from "vitest";
import { ConvergenceError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawNormal as normal } from "../../src/numeric/sampling.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { fitMixedLogit, type MixedLogitFit } from "../../src/tradeoff/mixed-logit.js";
import {
  individualCoefficients,
  mixedLogitProbabilities,
} from "../../src/tradeoff/mixed-logit-prediction.js";
import { fitWillingnessToPaySpace } from "../../src/tradeoff/willingness-to-pay-space.js";
import { chooseAgain, logOfChosen, study, tastes, truth } from "./mixed-studies.js";
import { simulatedStudy } from "./worlds.js";

const random = randomSource(1);
let fit: MixedLogitFit;

beforeAll(() => {
  fit = fitMixedLogit(study.rows, study.attributes, { tastes, random });
});

describe("the fit", () => {
  it("finds the tastes that made the choices, within three standard errors", () => {
    const study500 = simulatedStudy(truth, { respondents: 500, tasks: 8, seed: 3 });
    const large = fitMixedLogit(study500.rows, study500.attributes, { tastes, draws: 256, random });
    for (const [name, value] of [
      ...Object.entries(truth.mean),
      ...Object.entries(truth.spread).map(([name, sd]) => [`sd ${name}`, sd] as const),
    ]) {
      const off = ((large.coefficients[name] as number) - value) / (large.standardErrors[name] as number);
      expect(Math.abs(off), name).toBeLessThan(3);
    }
    expect(large.converged).toBe(true);
    expect(large.warnings).toEqual([]);
    expect(large.observations).toBe(4000);
    expect(large.logLikelihood).toBeGreaterThan(large.sameTastesLogLikelihood + 30);
  });

  it("finds correlations: of 0.7 between two tastes", () => {
    const source = randomSource(11);
    const independent = simulatedStudy({ mean: { a: 0, b: 0 } }, { respondents: 400, tasks: 10, seed: 4 });
    const tastesOf = Array.from({ length: 400 }, () => {
      const [u, v] = [normal(source), normal(source)];
      return [0.5 + u, -0.5 + 0.7 * u + Math.sqrt(1 - 0.49) * v] as const;
    });
    const chosen = chooseAgain(independent, (row) => {
      const [a, b] = tastesOf[independent.rows.respondent[row] as number] as readonly [number, number];
      return (
        a * (independent.attributes["a"]?.[row] as number) +
        b * (independent.attributes["b"]?.[row] as number)
      );
    });
    const found = fitMixedLogit({ ...independent.rows, chosen }, independent.attributes, {
      tastes: { a: "normal", b: "normal" },
      correlated: true,
      draws: 256,
      random,
    });
    for (const [name, value] of Object.entries({
      a: 0.5,
      b: -0.5,
      "sd a": 1,
      "sd b": 1,
      "correlation b a": 0.7,
    })) {
      const off = ((found.coefficients[name] as number) - value) / (found.standardErrors[name] as number);
      expect(Math.abs(off), name).toBeLessThan(3);
    }
    const [[aa], [ba, bb]] = found.parameters.spread as [[number], [number, number]];
    expect(found.coefficients["sd b"]).toBeCloseTo(Math.hypot(ba, bb), 12);
    expect(found.coefficients["correlation b a"]).toBeCloseTo((ba * Math.sign(aa)) / Math.hypot(ba, bb), 12);
  });

  it("has errors that hold what they promise: 90% intervals over 60 studies cover 85% to 95%", () => {
    let covered = 0;
    let all = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const one = simulatedStudy(truth, { respondents: 60, tasks: 8, seed: 100 + seed });
      const { coefficients, standardErrors } = fitMixedLogit(one.rows, one.attributes, {
        tastes,
        draws: 128,
        random,
      });
      const values = { ...truth.mean, "sd organic": 1, "sd large": 0.7 };
      for (const [name, value] of Object.entries(values)) {
        all++;
        if (Math.abs((coefficients[name] as number) - value) < 1.6448536 * (standardErrors[name] as number))
          covered++;
      }
    }
    expect(covered / all).toBeGreaterThan(0.85);
    expect(covered / all).toBeLessThan(0.95);
  });

  it("is the conditional logit where all tastes are the same", () => {
    const simple = fitConditionalLogit(study.rows, study.attributes);
    const same = fitMixedLogit(study.rows, study.attributes, { tastes: {}, random });
    expect(same.logLikelihood).toBeCloseTo(simple.logLikelihood, 9);
    for (const [name, value] of Object.entries(simple.coefficients)) {
      expect(same.coefficients[name]).toBeCloseTo(value, 9);
      expect(same.standardErrors[name]).toBeCloseTo(simple.standardErrors[name] as number, 9);
    }
    const robust = fitMixedLogit(study.rows, study.attributes, { tastes: {}, random, errors: "respondent" });
    const clustered = fitConditionalLogit(study.rows, study.attributes, { errors: "respondent" });
    const loose = fitMixedLogit(study.rows, study.attributes, {
      tastes: {},
      random,
      errors: "respondent",
      panel: false,
    });
    for (const [name, value] of Object.entries(clustered.standardErrors)) {
      expect(robust.standardErrors[name]).toBeCloseTo(value, 9);
      expect(loose.standardErrors[name]).toBeCloseTo(value, 9);
    }
  });

  it("does not depend on units, the order of respondents' sets, or the place it starts from", () => {
    const cents = { ...study.attributes, price: (study.attributes["price"] as number[]).map((x) => 100 * x) };
    const other = fitMixedLogit(study.rows, cents, { tastes, random });
    expect((other.coefficients["price"] as number) * 100).toBeCloseTo(fit.coefficients["price"] as number, 6);
    expect(other.logLikelihood).toBeCloseTo(fit.logLikelihood, 7);
    const again = fitMixedLogit(study.rows, study.attributes, { tastes, random, from: fit.parameters });
    expect(again.logLikelihood).toBeCloseTo(fit.logLikelihood, 8);
    expect(again.evaluations).toBeLessThan(3);
    const wide = fitMixedLogit(study.rows, study.attributes, { tastes, random, starts: 3, draws: 128 });
    const single = fitMixedLogit(study.rows, study.attributes, { tastes, random, draws: 128 });
    expect(wide.logLikelihood).toBeGreaterThan(single.logLikelihood - 1e-8);
    expect(wide.evaluations).toBeGreaterThan(single.evaluations);
  });

  it("takes weights for repeated respondents", () => {
    const twice = simulatedStudy(truth, { respondents: 30, tasks: 6, seed: 8 });
    const { set, respondent, chosen } = twice.rows;
    const weighted = fitMixedLogit({ ...twice.rows, weight: respondent.map(() => 2) }, twice.attributes, {
      tastes: { organic: "normal" },
      random,
      draws: 1024,
    });
    const doubled = fitMixedLogit(
      {
        set: [...Array.from(set), ...Array.from(set)],
        respondent: [...respondent, ...respondent.map((who) => who + 1000)],
        chosen: [...Array.from(chosen), ...Array.from(chosen)],
      },
      Object.fromEntries(
        Object.entries(twice.attributes).map(([name, column]) => [
          name,
          [...Array.from(column), ...Array.from(column)],
        ]),
      ),
      { tastes: { organic: "normal" }, random, draws: 1024 },
    );
    expect(weighted.observations).toBe(doubled.observations);
    expect(Math.abs(weighted.logLikelihood / doubled.logLikelihood - 1)).toBeLessThan(1e-4); // other draws
    for (const name of ["price", "sd organic"]) {
      const error = doubled.standardErrors[name] as number;
      expect(
        Math.abs((weighted.coefficients[name] as number) - (doubled.coefficients[name] as number)),
      ).toBeLessThan(0.05 * error);
      expect(Math.abs((weighted.standardErrors[name] as number) / error - 1)).toBeLessThan(0.05);
    }
  });

  it("names a log-normal taste of the wrong sign, which the choices drive to 0", () => {
    const fitWrong = () =>
      fitMixedLogit(study.rows, study.attributes, { tastes: { price: "log-normal" }, random, draws: 128 });
    expect(fitWrong).toThrow(ConvergenceError);
    expect(fitWrong).toThrow(
      /^mixed logit: price is log-normal, but the choices drive it to 0 \(the mean of its logarithm to -\S+\): it may have the other sign, or be normal$/,
    );
  });

  it("settles for every distribution, and log-normal prices are below 0 for all", () => {
    for (const [organic, price] of [
      ["triangular", "negative log-normal"],
      ["uniform", "normal"],
      ["log-normal", "negative log-normal"],
    ] as const) {
      const one = fitMixedLogit(study.rows, study.attributes, {
        tastes: { organic, price },
        random,
        draws: 256,
      });
      expect(one.converged).toBe(true);
      expect(one.logLikelihood).toBeGreaterThan(one.sameTastesLogLikelihood);
      if (price === "negative log-normal") expect(one.population["price"]?.shareAboveZero).toBe(0);
      expect(
        logOfChosen(
          mixedLogitProbabilities(one.parameters, study.rows, study.attributes, {
            random,
            draws: 256,
            given: "earlier choices",
          }),
          study.rows,
        ),
      ).toBeCloseTo(one.logLikelihood, 8);
    }
  });

  it("is JSON-safe, and tells its progress", () => {
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
    const seen: number[] = [];
    fitMixedLogit(study.rows, study.attributes, {
      tastes,
      random,
      draws: 512,
      onProgress: ({ draws }) => seen.push(draws),
    });
    expect([...new Set(seen)]).toEqual([32, 128, 512]);
    const controller = new AbortController();
    const stopped = (): MixedLogitFit =>
      fitMixedLogit(study.rows, study.attributes, {
        tastes,
        random,
        signal: controller.signal,
        onProgress: ({ evaluations }) => {
          if (evaluations === 3) controller.abort(new Error("enough"));
        },
      });
    expect(stopped).toThrow("enough");
  });
});

describe("weak data", () => {
  it("are warned of by name: one choice a respondent, few draws, few respondents for correlations", () => {
    const set = Array.from(study.rows.set, (_, row) => Math.floor(row / 3));
    const one = fitMixedLogit({ set, chosen: study.rows.chosen }, study.attributes, {
      tastes: { organic: "normal" },
      random,
      draws: 128,
    });
    expect(one.warnings.join("\n")).toContain(
      "differences between respondents in organic are told from chance by the form of the model alone",
    );
    expect(one.warnings.join("\n")).toContain("128 draws are few");
    const few = simulatedStudy(truth, { respondents: 20, tasks: 20, seed: 3 });
    const correlated = fitMixedLogit(few.rows, few.attributes, {
      tastes,
      correlated: true,
      random,
      draws: 256,
    });
    expect(correlated.warnings[0]).toBe(
      "mixed logit: 20 respondents are few for the 3 variances and covariances of organic, large: leave out correlations, or pool",
    );
  });

  it("with the same tastes for all warn of an sd that is nothing, and every number is finite", () => {
    const same = simulatedStudy({ mean: truth.mean }, { respondents: 60, tasks: 8, seed: 14 });
    const found = fitMixedLogit(same.rows, same.attributes, {
      tastes: { ...tastes, price: "normal" },
      random,
      draws: 256,
    });
    expect(found.warnings.join("\n")).toMatch(
      /sd \w+ is within one standard error of 0: this taste may be the same for all/,
    );
    for (const record of [found.coefficients, found.standardErrors, found.z, found.p])
      expect(Object.values(record).every(Number.isFinite)).toBe(true);
    expect(found.covariance.flat().every(Number.isFinite)).toBe(true);
  });

  it("that say nothing of a parameter leave out its error, by name", () => {
    // One respondent and one draw: mean and spread act together, and cannot be told apart.
    const one = simulatedStudy(truth, { respondents: 1, tasks: 60, seed: 4 });
    const found = fitMixedLogit(one.rows, one.attributes, { tastes: { price: "normal" }, random, draws: 1 });
    expect(found.identification.undetermined).toEqual(["price", "sd price"]);
    expect(found.warnings.join("\n")).toContain(
      "mixed logit: the data do not determine price, sd price: they have no standard errors",
    );
    expect(Object.keys(found.standardErrors)).toEqual(["organic", "large"]);
    expect(Object.values(found.standardErrors).every((value) => value > 0 && Number.isFinite(value))).toBe(
      true,
    );
    expect(found.covariance.flat().every(Number.isFinite)).toBe(true);
  });

  it("that draws alone tell apart are warned of", () => {
    // Price differs by 1 or not at all: only the share that pays it is seen, not the spread of its taste.
    const set = Array.from({ length: 400 }, (_, row) => Math.floor(row / 2));
    const x = set.map((_, row) => row % 2);
    const price = set.map((s, row) => Number(row % 2 === 0 && s % 2 === 0 && s >= 100));
    const chosen = set.map((s, row) => Number((row % 2 === 1) === (s * 7) % 10 < (s < 100 ? 7 : 8)));
    const found = fitMixedLogit(
      { set, chosen },
      { x, price },
      { tastes: { price: "normal" }, random: randomSource(2), draws: 512 },
    );
    expect(found.warnings.join("\n")).toMatch(
      /mixed logit: price, sd price are hardly told apart \(condition number [\d.e+]+\)/,
    );
  });
});

describe("bad input", () => {
  const rows = study.rows;
  const x = study.attributes;
  it.each([
    [{ tastes: { colour: "normal" } }, 'tastes must be of organic, large, price, got "colour"'],
    [
      { tastes: { price: "gumbel" } },
      'tastes of price must be one of normal, log-normal, negative log-normal, triangular, uniform, got "gumbel"',
    ],
    [
      { tastes: { price: "uniform" }, correlated: true },
      'correlated tastes must be normal or log-normal, got "uniform" for price',
    ],
    [{ tastes, starts: 0 }, "starts must be a whole number from 1 up, got 0"],
    [{ tastes, draws: 0.5 }, "draws must be a whole number from 1 to 1048576, got 0.5"],
    [{ tastes, space: "willingness to pay" }, "price must be one of organic, large, price, got undefined"],
    [
      { tastes: { price: "normal" }, space: "willingness to pay", price: "price" },
      'the scale (tastes of price) must be log-normal or the same for all, got "normal"',
    ],
  ])("%j", (options, message) => {
    const fitBad = (): unknown =>
      fitMixedLogit(rows, x, { ...options, random } as Parameters<typeof fitMixedLogit>[2]);
    expect(fitBad).toThrow(new RangeError(message));
  });

  it("weights that differ within a respondent, a missing covariate, no choices to go by", () => {
    const weight = Array.from(rows.set, (_, row) => (row < 3 ? 2 : 1));
    expect(() => fitMixedLogit({ ...rows, weight }, x, { tastes, random })).toThrow(
      "weight must be the same in all choices of respondent 0, got 2 and 1",
    );
    const { organic, large } = x;
    expect(() =>
      mixedLogitProbabilities(fit.parameters, rows, { organic, large } as typeof x, { random }),
    ).toThrow("attributes must contain price, got organic, large");
    const { set, respondent } = rows;
    expect(() =>
      mixedLogitProbabilities(fit.parameters, { set, respondent }, x, { random, given: "earlier choices" }),
    ).toThrow("rows must have the column chosen, for probabilities given earlier choices");
    expect(() => individualCoefficients(fit.parameters, rows, x, { random, keep: -1 })).toThrow(
      "keep must be a whole number from 0 up, got -1",
    );
    expect(() => fitWillingnessToPaySpace(rows, x, { price: "cost" })).toThrow(
      'price must be one of organic, large, price, got "cost"',
    );
  });
});
