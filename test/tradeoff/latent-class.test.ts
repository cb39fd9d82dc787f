import { beforeAll, describe, expect, it } from "vitest";
import { fitLatentClassLogit as fitOnThreads } from "../../dist/tradeoff/latent-class.js";
import { randomSource } from "../../src/numeric/random.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { chooseClasses, fitLatentClassLogit, type LatentClassFit } from "../../src/tradeoff/latent-class.js";
import { classMembership, latentClassProbabilities } from "../../src/tradeoff/latent-class-prediction.js";
import { classWorld, fitClasses, kinds } from "./class-studies.js";
import { simulatedStudy } from "./worlds.js";

const random = randomSource(1);

const world = classWorld();
let fit: LatentClassFit;

beforeAll(async () => {
  fit = await fitClasses(world, 8);
});

describe("the fit", () => {
  it("finds the classes that made the choices, within three standard errors, the largest first", () => {
    for (const [q, { share, taste }] of kinds.entries()) {
      const found = fit.classes[q] as LatentClassFit["classes"][number];
      expect(Math.abs(found.share - share) / found.shareError).toBeLessThan(3);
      for (const [name, value] of Object.entries(taste)) {
        const off = ((found.coefficients[name] as number) - value) / (found.standardErrors[name] as number);
        expect(Math.abs(off), `class ${q + 1} ${name}`).toBeLessThan(3);
      }
    }
    expect(fit.classes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(fit.warnings).toEqual([]);
    expect(fit.entropyR2).toBeGreaterThan(0.8);
    expect(fit.searches).toEqual({ finished: 5, agreed: 5 });
  });

  it("with one class is the conditional logit, with its errors", async () => {
    for (const errors of ["model", "respondent"] as const) {
      const simple = fitConditionalLogit(world.rows, world.attributes, { errors });
      const one = await fitLatentClassLogit(world.rows, world.attributes, {
        classes: 1,
        errors,
        random,
        workers: 0,
      });
      expect(one.logLikelihood).toBeCloseTo(simple.logLikelihood, 9);
      expect(one.sameTastesLogLikelihood).toBe(simple.logLikelihood);
      for (const [name, value] of Object.entries(simple.coefficients)) {
        expect(one.classes[0]?.coefficients[name]).toBeCloseTo(value, 8);
        expect(one.classes[0]?.standardErrors[name]).toBeCloseTo(simple.standardErrors[name] as number, 8);
      }
      expect(one.classes[0]).toMatchObject({ share: 1, shareError: 0, membership: { intercept: 0 } });
      expect(one.entropyR2).toBe(1);
    }
    const penalty = 0.1;
    const shrunk = fitConditionalLogit(world.rows, world.attributes, { penalty });
    const one = await fitLatentClassLogit(world.rows, world.attributes, {
      classes: 1,
      penalty,
      random,
      workers: 0,
    });
    expect(one.classes[0]?.coefficients["price"]).toBeCloseTo(shrunk.coefficients["price"] as number, 8);
  });

  it("has errors that hold what they promise: 90% intervals over 25 studies cover 84% to 96%", async () => {
    let [covered, all] = [0, 0];
    for (let seed = 1; seed <= 25; seed++) {
      const one = classWorld({ respondents: 100, tasks: 8, seed: 100 + seed });
      const { classes } = await fitLatentClassLogit(one.rows, one.attributes, {
        classes: 3,
        random,
        workers: 0,
        starts: 2,
      });
      for (const { taste } of kinds) {
        // The class nearest to the truth, so that the order of the sizes does not matter.
        const distance = (coefficients: Readonly<Record<string, number>>): number =>
          Object.entries(taste).reduce(
            (sum, [name, value]) => sum + ((coefficients[name] ?? 0) - value) ** 2,
            0,
          );
        const own = [...classes].sort((a, b) => distance(a.coefficients) - distance(b.coefficients))[0];
        for (const [name, value] of Object.entries(taste)) {
          all++;
          const off = ((own?.coefficients[name] as number) - value) / (own?.standardErrors[name] as number);
          if (Math.abs(off) < 1.6448536) covered++;
        }
      }
    }
    expect(all).toBe(225);
    expect(covered / all).toBeGreaterThan(0.84);
    expect(covered / all).toBeLessThan(0.96);
  });

  it("finds the same with other seeds, on threads, in other units, and with respondents in another order", async () => {
    const { rows, attributes } = classWorld({ respondents: 100, tasks: 10, seed: 6 });
    const options = { classes: 3, random, workers: 0, starts: 4 };
    const one = await fitLatentClassLogit(rows, attributes, options);
    const threads = await fitOnThreads(rows, attributes, { ...options, workers: 2 });
    expect(threads).toEqual(one);
    const cents = { ...attributes, price: Array.from(attributes["price"] as number[], (x) => 100 * x) };
    const other = await fitLatentClassLogit(rows, cents, { ...options, random: randomSource(99) });
    expect(other.logLikelihood).toBeCloseTo(one.logLikelihood, 7);
    const order = [...rows.respondent.keys()].sort(
      (a, b) => (rows.respondent[b] as number) - (rows.respondent[a] as number) || a - b,
    );
    const of = <Value>(column: ArrayLike<Value>): Value[] => order.map((row) => column[row] as Value);
    const turned = await fitLatentClassLogit(
      { set: of(rows.set), respondent: of(rows.respondent), chosen: of(rows.chosen) },
      Object.fromEntries(Object.entries(attributes).map(([name, column]) => [name, of(column)])),
      options,
    );
    for (const [q, { share, coefficients, standardErrors }] of one.classes.entries()) {
      expect(other.classes[q]?.coefficients["price"]).toBeCloseTo((coefficients["price"] as number) / 100, 7);
      expect(turned.classes[q]?.share).toBeCloseTo(share, 6);
      expect(turned.classes[q]?.standardErrors["large"]).toBeCloseTo(standardErrors["large"] as number, 6);
    }
  });

  it("takes weights for repeated respondents", async () => {
    const small = classWorld({ respondents: 60, tasks: 8, seed: 5 });
    const { set, respondent, chosen } = small.rows;
    const options = { classes: 2, random, workers: 0, starts: 4 };
    const weighted = await fitLatentClassLogit(
      { ...small.rows, weight: respondent.map(() => 2) },
      small.attributes,
      options,
    );
    const doubled = await fitLatentClassLogit(
      {
        set: [...Array.from(set), ...Array.from(set)],
        respondent: [...respondent, ...respondent.map((who) => who + 1000)],
        chosen: [...Array.from(chosen), ...Array.from(chosen)],
      },
      Object.fromEntries(
        Object.entries(small.attributes).map(([name, column]) => [
          name,
          [...Array.from(column), ...Array.from(column)],
        ]),
      ),
      options,
    );
    expect(weighted.logLikelihood).toBeCloseTo(doubled.logLikelihood, 6);
    for (const key of ["bic", "respondents", "observations", "entropyR2"] as const)
      expect(weighted[key]).toBeCloseTo(doubled[key], 6);
    expect(weighted.classes[1]?.standardErrors["price"]).toBeCloseTo(
      doubled.classes[1]?.standardErrors["price"] as number,
      6,
    );
  });

  it("finds what membership depends on", async () => {
    const source = randomSource(8);
    const isSecond = world.kind.map((kind) => Number(kind === 1));
    const noisy = isSecond.map((is) => (source.uniform() < 0.85 ? is : 1 - is));
    const found = await fitLatentClassLogit(world.rows, world.attributes, {
      classes: 3,
      covariates: { club: noisy },
      random,
      workers: 0,
      starts: 8,
    });
    expect(found.logLikelihood).toBeGreaterThan(fit.logLikelihood + 20);
    expect(found.terms).toContain("class 2 membership club");
    const { membership, membershipErrors } = found.classes[1] as LatentClassFit["classes"][number];
    // The log odds ratio of a sign that is right in 85 of 100 is 2 log(.85 / .15).
    const off =
      ((membership["club"] as number) - 2 * Math.log(0.85 / 0.15)) / (membershipErrors["club"] as number);
    expect(Math.abs(off)).toBeLessThan(3);
    const pooled = found.classes.map(({ share }) => share);
    expect(pooled.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    const members = classMembership(found.classes, world.rows, world.attributes, {
      covariates: { club: noisy },
    });
    expect(
      Math.abs(
        members.probabilities.reduce((sum, row) => sum + (row[1] as number), 0) / 300 - (pooled[1] as number),
      ),
    ).toBeLessThan(1e-6); // at a maximum with intercepts
  });

  it("reports progress, stops when asked to, is JSON-safe and says itself in a line", async () => {
    const seen: [number, number][] = [];
    await fitLatentClassLogit(world.rows, world.attributes, {
      classes: 2,
      random,
      workers: 0,
      starts: 2,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(seen).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(
      fitLatentClassLogit(world.rows, world.attributes, { classes: 2, random, workers: 0, signal }),
    ).rejects.toThrow("enough");
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
  });
});

describe("the number of classes", () => {
  it("is found by BIC", async () => {
    const { rows, attributes } = classWorld({ respondents: 120, tasks: 12, seed: 4 });
    const choice = await chooseClasses(rows, attributes, { upTo: 4, random, workers: 0, starts: 4 });
    expect(choice.best.bic).toBe(3);
    expect(choice.best.caic).toBe(3);
    const likelihoods = choice.counts.map(({ fit: own }) => own?.logLikelihood as number);
    for (const [k, value] of likelihoods.slice(1).entries())
      expect(value).toBeGreaterThan(likelihoods[k] as number);
    const three = choice.counts[2]?.fit as LatentClassFit;
    // 9 coefficients and 2 log odds for 120 respondents.
    expect(three.bic).toBeCloseTo(11 * Math.log(120) - 2 * three.logLikelihood, 9);
    expect(three.caic - three.bic).toBeCloseTo(11, 9);
    expect(three.aic).toBeCloseTo(22 - 2 * three.logLikelihood, 9);
  });
});

describe("bad input", () => {
  const { rows, attributes } = simulatedStudy(
    { mean: { a: 1, price: -1 } },
    { respondents: 5, tasks: 6, seed: 1 },
  );
  const options = { random, workers: 0 };
  it.each([
    [{ classes: 6 }, "classes must be a whole number from 1 to 5, got 6"],
    [{ classes: 0 }, "classes must be a whole number from 1 to 5, got 0"],
    [{ classes: 2, starts: 0 }, "starts must be a whole number from 1 up, got 0"],
    [{ classes: 2, penalty: -1 }, "penalty must be a number from 0 up, got -1"],
    [{ classes: 2, errors: "set" as "model" }, "errors must be one of model, respondent, got set"],
    [{ classes: 2, workers: -1 }, "workers must be a whole number from 0 up, got -1"],
  ])("%j", async (bad, message) => {
    await expect(fitLatentClassLogit(rows, attributes, { ...options, ...bad })).rejects.toThrow(
      new RangeError(message),
    );
  });

  it("covariates that do not fit the respondents, weights that differ within one, missing columns", async () => {
    const withCovariate = (club: number[]): Promise<LatentClassFit> =>
      fitLatentClassLogit(rows, attributes, { ...options, classes: 2, covariates: { club } });
    await expect(withCovariate([1, 0])).rejects.toThrow(
      "club must have one value for each of the 5 rows, got 2",
    );
    await expect(withCovariate([1, 0, 1, Number.NaN, 0])).rejects.toThrow(
      "club in row 4 must be a finite number, got NaN",
    );
    await expect(withCovariate([1, 1, 1, 1, 1])).rejects.toThrow(
      "club must differ between respondents, got 1 for all",
    );
    const weight = Array.from(rows.set, (_, row) => (row < 3 ? 2 : 1));
    await expect(
      fitLatentClassLogit({ ...rows, weight }, attributes, { ...options, classes: 2 }),
    ).rejects.toThrow("weight must be the same in all choices of respondent 0, got 2 and 1");
    await expect(chooseClasses(rows, attributes, { ...options, upTo: 0 })).rejects.toThrow(
      "upTo must be a whole number from 1 up, got 0",
    );
    const classes = [
      { coefficients: { a: 1, price: -1 }, membership: { intercept: 0, club: 0 } },
      { coefficients: { a: 0, price: -2 }, membership: { intercept: -1, club: 0.5 } },
    ];
    expect(() => classMembership(classes, rows, attributes)).toThrow(
      "covariates must contain club, got none",
    );
    const { set, respondent } = rows;
    expect(() =>
      latentClassProbabilities(classes, { set, respondent }, attributes, { given: "earlier choices" }),
    ).toThrow("rows must have the column chosen, for probabilities given earlier choices");
  });
});
