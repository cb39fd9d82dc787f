import { describe, expect, it } from "vitest";
// The chains run on threads, from the compiled program, and so does all that they are compared with.
import { randomSource } from "../../dist/numeric/random.js";
import { fitConditionalLogit } from "../../dist/tradeoff/conditional-logit.js";
import type {
  HierarchicalBayesFit,
  HierarchicalBayesOptions,
} from "../../dist/tradeoff/hierarchical-bayes.js";
import { quantileOf } from "../../src/numeric/quantile.js";
import { drawNormal } from "../../src/numeric/sampling.js";
import { fitStudy } from "./fit-study.js";
import { simulatedStudy, type Taste } from "./worlds.js";

const taste: Taste = {
  mean: { organic: 0.8, large: -0.4, price: -0.9 },
  spread: { organic: 3, large: 3, price: 1.5 },
};
const study = simulatedStudy(taste, { respondents: 200, tasks: 15, seed: 21 });
let shared: Promise<HierarchicalBayesFit> | undefined;
const fitted = (): Promise<HierarchicalBayesFit> => (shared ??= fitStudy(study, { workers: 2 }));

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const sum = (f: (x: number, y: number) => number): number =>
    a.reduce((total, x, i) => total + f(x - meanA, (b[i] as number) - meanB), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

/** Mean over respondents of their logit shares of products, coefficient by name. */
function meanShares(
  products: readonly Readonly<Record<string, number>>[],
  people: readonly Readonly<Record<string, number>>[],
): number[] {
  const totals = products.map(() => 0);
  for (const person of people) {
    const parts = products.map((product) =>
      Math.exp(Object.entries(product).reduce((sum, [name, x]) => sum + x * (person[name] as number), 0)),
    );
    const sum = parts.reduce((a, b) => a + b, 0);
    for (const [k, part] of parts.entries()) totals[k] = (totals[k] as number) + part / sum / people.length;
  }
  return totals;
}

describe("hierarchical Bayes logit", () => {
  it("recovers a population: means and spreads within three posterior standard deviations", async () => {
    const { population, heterogeneity, converged, diagnostics, warnings } = await fitted();
    for (const [name, truth] of Object.entries(taste.mean)) {
      const { mean, sd, low, high } = population[name] as (typeof population)[string];
      expect(Math.abs(mean - truth)).toBeLessThan(3 * sd);
      expect(low).toBeLessThan(mean);
      expect(high).toBeGreaterThan(mean);
      const spread = heterogeneity[name] as (typeof population)[string];
      expect(Math.abs(spread.mean - (taste.spread?.[name] as number))).toBeLessThan(3 * spread.sd);
    }
    expect(converged).toBe(true);
    expect(diagnostics.rHat).toBeLessThan(1.05);
    expect(warnings).toEqual([]);
  });

  it("recovers individual part-worths: correlation with the truth at least .9 over all, .85 for each", async () => {
    const { individual, individualSd } = await fitted();
    const errors: number[] = [];
    const all = individual.values.flatMap((row) => Array.from(row));
    const truths = study.tastes.flatMap((person) => individual.names.map((name) => person[name] as number));
    expect(correlation(all, truths)).toBeGreaterThan(0.9);
    for (const [j, name] of individual.names.entries()) {
      const truth = study.tastes.map((person) => person[name] as number);
      const own = individual.values.map((row) => row[j] as number);
      expect(correlation(own, truth)).toBeGreaterThan(0.85);
      for (const [i, value] of own.entries())
        errors.push((value - (truth[i] as number)) / (individualSd.values[i]?.[j] as number));
    }
    const covered = errors.filter((error) => Math.abs(error) < 1.645).length / errors.length;
    expect(covered).toBeGreaterThan(0.85);
    expect(covered).toBeLessThan(0.95);
  });

  it("foretells shares of products that were never shown, within three points", async () => {
    const { individual } = await fitted();
    const products = [
      { organic: 1, large: 1, price: 3.5 },
      { organic: 0, large: 0, price: 1.5 },
      { organic: 1, large: 0, price: 2.5 },
    ];
    const truth = meanShares(products, study.tastes);
    // All draws of all respondents: the shares of a mean are not the mean of the shares.
    const p = individual.names.length;
    const drawn = Array.from({ length: (individual.draws?.length as number) / p }, (_, row) =>
      Object.fromEntries(
        individual.names.map((name, j) => [name, individual.draws?.[row * p + j] as number]),
      ),
    );
    for (const [k, share] of meanShares(products, drawn).entries())
      expect(Math.abs(share - (truth[k] as number))).toBeLessThan(0.03);
  });

  it("keeps draws whose means are the part-worths", async () => {
    const { individual, populationDraws, coefficients, covariance, standardErrors, iterations, chains } =
      await fitted();
    const [people, p] = [200, 3];
    const draws = individual.draws as Float32Array;
    const count = draws.length / (people * p);
    expect(count).toBe(iterations * chains); // fewer than the thousand to be kept
    let sum = 0;
    for (let d = 0; d < count; d++) sum += draws[(d * people + 17) * p + 2] as number;
    expect(sum / count).toBeCloseTo(individual.values[17]?.[2] as number, 6);
    const prices = populationDraws["price"] as Float64Array;
    expect(prices).toHaveLength(800);
    expect(prices.reduce((total, value) => total + value, 0) / 800).toBeCloseTo(
      coefficients["price"] as number,
      12,
    );
    expect(Math.sqrt(covariance[2]?.[2] as number)).toBeCloseTo(standardErrors["price"] as number, 12);
    const few = await fitStudy(simulatedStudy(taste, { respondents: 8, tasks: 4 }), { keep: 20 });
    expect(few.individual.draws).toHaveLength(20 * 8 * 3);
  });

  it("fits better than one taste for all, and says how well", async () => {
    const { rootLikelihood, hitRate, nullLogLikelihood, logLikelihood, mcFaddenR2, observations } =
      await fitted();
    const pooled = fitConditionalLogit(study.rows, study.attributes);
    expect(nullLogLikelihood).toBeCloseTo(-3000 * Math.log(3), 8);
    expect(logLikelihood).toBeGreaterThan(pooled.logLikelihood);
    expect(mcFaddenR2).toBe(1 - logLikelihood / nullLogLikelihood);
    expect(rootLikelihood).toBeGreaterThan(pooled.rootLikelihood);
    expect(hitRate).toBeGreaterThan(rootLikelihood);
    expect(observations).toBe(3000);
  });
});

describe("what goes in", () => {
  const brief = { warmup: 100, iterations: 200 };
  const small = simulatedStudy(taste, { respondents: 40, tasks: 8, seed: 5 });

  it("covariates move the mean, whatever their units", async () => {
    const half = simulatedStudy(taste, { respondents: 40, tasks: 8, seed: 6 });
    const other = simulatedStudy(
      { ...taste, mean: { ...taste.mean, organic: 3.8 } },
      { respondents: 40, tasks: 8, seed: 7 },
    );
    const both = {
      rows: {
        set: [...Array.from(half.rows.set), ...Array.from(other.rows.set)],
        chosen: [...Array.from(half.rows.chosen), ...Array.from(other.rows.chosen)],
        respondent: [...half.rows.respondent, ...other.rows.respondent.map((who) => 1000 + who)],
      },
      attributes: Object.fromEntries(
        Object.keys(taste.mean).map((name) => [
          name,
          [half, other].flatMap(({ attributes }) => Array.from(attributes[name] as number[])),
        ]),
      ),
    };
    const group = Array.from({ length: 80 }, (_, i) => Number(i >= 40));
    const one = await fitStudy(both, { covariates: { group }, ...brief });
    const effect = one.effects["group"]?.["organic"];
    expect(Math.abs((effect?.mean as number) - 3)).toBeLessThan(3 * (effect?.sd as number));
    expect(effect?.low as number).toBeGreaterThan(1);
    const price = one.effects["group"]?.["price"];
    expect(Math.abs(price?.mean as number)).toBeLessThan(3 * (price?.sd as number));
    const scaled = await fitStudy(
      {
        ...both,
        attributes: {
          ...both.attributes,
          price: Array.from(both.attributes["price"] as number[], (x) => 100 * x),
        },
      },
      { covariates: { group: group.map((x) => 20 * x + 7) }, ...brief },
    );
    expect((scaled.effects["group"]?.["organic"]?.mean as number) * 20).toBeCloseTo(
      effect?.mean as number,
      8,
    );
    expect((scaled.coefficients["price"] as number) * 100).toBeCloseTo(
      one.coefficients["price"] as number,
      8,
    );
    expect(scaled.rootLikelihood).toBeCloseTo(one.rootLikelihood, 8);
  });

  it("signs hold for everyone, and a log-normal population is recovered", async () => {
    const random = randomSource(8);
    const rows = { set: [] as number[], chosen: [] as number[], respondent: [] as number[] };
    const price: number[] = [];
    const truth: number[] = [];
    for (let who = 0; who < 100; who++) {
      const slope = -Math.exp(-0.2 + 0.6 * drawNormal(random));
      truth.push(slope);
      for (let task = 0; task < 12; task++) {
        const prices = [0, 1, 2].map(() => Math.floor(5 * random.uniform()));
        const utilities = prices.map((x) => slope * x - Math.log(-Math.log(1 - random.uniform())));
        const best = utilities.indexOf(Math.max(...utilities));
        for (const [k, x] of prices.entries()) {
          rows.set.push(task);
          rows.respondent.push(who);
          rows.chosen.push(Number(k === best));
          price.push(x);
        }
      }
    }
    const one = await fitStudy({ rows, attributes: { price } }, { constraints: { price: "negative" } });
    const { mean, sd } = one.population["price"] as (typeof one.population)[string];
    expect(Math.abs(mean + Math.exp(-0.2))).toBeLessThan(3 * sd);
    const spread = one.heterogeneity["price"] as (typeof one.population)[string];
    expect(Math.abs(spread.mean - 0.6)).toBeLessThan(3 * spread.sd);
    expect(one.individual.draws?.every((value) => value < 0)).toBe(true);
    const draws = one.individual.draws as Float32Array;
    const covered = truth.filter((slope, who) => {
      const own = draws.filter((_, at) => at % truth.length === who);
      return quantileOf(own, 0.05) <= slope && slope <= quantileOf(own, 0.95);
    });
    expect(covered.length).toBeGreaterThan(78); // of 100, which hang together by the population's estimates
    expect(covered.length).toBeLessThan(100);
    expect(one.constraints).toEqual({ price: "negative" });
    const wrong = await fitStudy(
      { rows, attributes: { price } },
      { constraints: { price: "positive" }, ...brief },
    );
    expect(wrong.individual.draws?.every((value) => value >= 0)).toBe(true);
    expect(wrong.coefficients["price"]).toBeLessThan(0.1);
    expect(wrong.logLikelihood).toBeLessThan(one.logLikelihood);
  });

  it("a weight of 2 is every choice made twice", async () => {
    const order = small.rows.respondent.flatMap((_, row) =>
      row % 3 === 0 ? [row, row + 1, row + 2, row, row + 1, row + 2] : [],
    );
    const twice = {
      rows: {
        set: order.map((row, at) => `${small.rows.set[row]} ${Math.floor(at / 3) % 2}`),
        chosen: order.map((row) => Number(small.rows.chosen[row])),
        respondent: order.map((row) => small.rows.respondent[row] as number),
      },
      attributes: Object.fromEntries(
        Object.entries(small.attributes).map(([name, column]) => [
          name,
          order.map((row) => column[row] as number),
        ]),
      ),
    };
    const [doubled, weighted] = await Promise.all([
      fitStudy(twice),
      fitStudy({
        rows: { ...small.rows, weight: Array.from(small.rows.set, () => 2) },
        attributes: small.attributes,
      }),
    ]);
    expect(weighted.observations).toBe(640);
    expect(doubled.observations).toBe(640);
    for (const name of Object.keys(taste.mean)) {
      const { mean, sd, essBulk } = doubled.population[name] as (typeof doubled.population)[string];
      expect(Math.abs(mean - (weighted.population[name]?.mean as number))).toBeLessThan(
        (5 * sd) / Math.sqrt(essBulk),
      );
    }
  });

  it("one respondent, one task, and choices that separate perfectly give finite numbers", async () => {
    const alone = await fitStudy({
      rows: { set: [1, 1, 1], chosen: [0, 1, 0] },
      attributes: { x: [0, 1, 0.5], y: [1, 2, 3] },
    });
    for (const { mean, sd } of Object.values(alone.population)) {
      expect(Number.isFinite(mean)).toBe(true);
      expect(sd).toBeGreaterThan(0);
    }
    expect(alone.warnings.slice(-3)).toEqual([
      "1 of 1 respondents made fewer choices than there are coefficients (2): their part-worths lean on the population's",
      "1 respondents say little about the heterogeneity of 2 coefficients: it leans on the prior",
      expect.stringMatching(/^the choices need the prior: the coefficient of x, y has no finite maximum/),
    ]);
    const set = Array.from({ length: 60 }, (_, row) => Math.floor(row / 2));
    const x = set.map((_, row) => row % 2);
    const separated = await fitStudy({
      rows: { set, chosen: x, respondent: set.map((s) => Math.floor(s / 3)) },
      attributes: { x },
    });
    expect(separated.coefficients["x"]).toBeGreaterThan(1);
    expect(separated.coefficients["x"]).toBeLessThan(30);
    expect(separated.warnings.at(-1)).toBe(
      "the choices need the prior: the coefficient of x has no finite maximum, the likelihood rises for ever: some value of it is never chosen where there is another, or always. Merge levels or leave it out",
    );
  });

  it("names columns that only the prior tells apart", async () => {
    const { rows, attributes } = simulatedStudy(taste, { respondents: 20, tasks: 5, seed: 5 });
    const [one = "", other = ""] = Object.keys(attributes);
    const both = Array.from(attributes[one] ?? [], (value, row) => value + (attributes[other]?.[row] ?? 0));
    const { warnings } = await fitStudy({ rows, attributes: { ...attributes, both } }, { chains: 1 });
    expect(warnings.at(-1)).toBe(
      `the choices need the prior: covariate both must not be a linear combination of ${one}, ${other}: leave one of them out`,
    );
  });
});

describe("how it runs", () => {
  const small = simulatedStudy(taste, { respondents: 20, tasks: 5, seed: 5 });

  it("gives the same draws whatever the number of workers, and tells how far it is", async () => {
    const steps: [number, number][] = [];
    const [here, there] = [
      await fitStudy(small, { onProgress: (done, total) => steps.push([done, total]) }),
      await fitStudy(small, { workers: 2 }),
    ];
    expect(there).toEqual(here);
    expect(steps.at(-1)).toEqual([1200, 1200]);
    expect(here.individual.draws).not.toEqual(
      (await fitStudy(small, { random: randomSource(2) })).individual.draws,
    );
  });

  it.each([0, 2])("ends early when told to; %d workers", async (workers) => {
    const controller = new AbortController();
    const steps: number[] = [];
    const promise = fitStudy(small, {
      workers,
      iterations: 1_000_000,
      keep: 10,
      signal: controller.signal,
      onProgress: (done) => {
        steps.push(done);
        if (done > 50) controller.abort(new Error("enough"));
      },
    });
    await expect(promise).rejects.toThrow("enough");
    expect(steps.at(-1)).toBeLessThan(2_000_400);
  });

  it("keeps a draw of each chain at least", async () => {
    const { individual } = await fitStudy(small, { warmup: 50, iterations: 50, keep: 1 });
    expect(individual.draws?.length).toBe(2 * individual.respondents.length * individual.names.length);
  });

  it("warns of columns about respondents that follow from others", async () => {
    const age = Array.from({ length: 20 }, (_, who) => 20 + ((7 * who) % 13));
    const warning =
      "covariate months of the respondents follows from age, city: the prior alone tells their effects apart";
    const city = age.map((_, who) => who % 2);
    const months = age.map((years, who) => 12 * years + (city[who] as number));
    const warningsOf = async (covariates: Record<string, number[]>): Promise<readonly string[]> =>
      (await fitStudy(small, { warmup: 50, iterations: 50, covariates })).warnings;
    expect(await warningsOf({ age, city, months })).toContain(warning);
    expect((await warningsOf({ age, city })).join()).not.toContain("follows from");
  });

  it("warns of chains that do not agree", async () => {
    const { converged, warnings } = await fitStudy(small, { warmup: 50, iterations: 50, chains: 4 });
    expect(converged).toBe(false);
    expect(warnings[0]).toMatch(
      /^the chains do not agree \(R-hat up to 1\.\d\d\) about .*: take more iterations/,
    );
  });
});

describe("what cannot be used", () => {
  const rows = { set: [1, 1, 2, 2], chosen: [1, 0, 0, 1], respondent: ["a", "a", "b", "b"] };
  const attributes = { x: [1, 2, 3, 5] };
  it.each<[string, Partial<HierarchicalBayesOptions>, string]>([
    [
      "a sign for nothing",
      { constraints: { y: "positive" } },
      'constraints must name covariates out of x, got "y"',
    ],
    [
      "no such sign",
      { constraints: { x: "up" as "positive" } },
      'constraints.x must be "positive" or "negative", got "up"',
    ],
    [
      "a short column",
      { covariates: { age: [30] } },
      "age must have one value for each of the 2 respondents, got 1",
    ],
    [
      "a gap",
      { covariates: { age: [30, Number.NaN] } },
      "age of respondent 2 must be a finite number, got NaN",
    ],
    ["a constant", { covariates: { age: [30, 30] } }, "age must differ between respondents, got 30 for all"],
    ["no chain", { chains: 0 }, "chains must be a whole number from 1 up, got 0"],
    ["no warm-up", { warmup: 0 }, "warmup must be a whole number from 50 up, got 0"],
    ["half a sweep", { iterations: 100.5 }, "iterations must be a whole number from 50 up, got 100.5"],
    ["nothing kept", { keep: 0 }, "keep must be a whole number from 1 up, got 0"],
    ["a level of 1", { level: 1 }, "level must be between 0 and 1, got 1"],
    [
      "no variance",
      { priors: { meanVariance: 0 } },
      "priors.meanVariance must be a finite number above 0, got 0",
    ],
    [
      "too little freedom",
      { priors: { freedom: 2 } },
      "priors.freedom must be a finite number above 2, got 2",
    ],
    [
      "no heterogeneity",
      { priors: { heterogeneity: 0 } },
      "priors.heterogeneity must be a variance above 0 or a positive definite matrix of 1 rows, got 0",
    ],
    [
      "a variance that is no number",
      { priors: { heterogeneity: Number.NaN } },
      "priors.heterogeneity must be a variance above 0 or a positive definite matrix of 1 rows, got NaN",
    ],
    [
      "a large matrix",
      {
        priors: {
          freedom: 9,
          heterogeneity: [
            [1, 0],
            [0, 1],
          ],
        },
      },
      "priors.heterogeneity must be a variance above 0 or a positive definite matrix of 1 rows, got [[1,0],[0,1]]",
    ],
  ])("%s", async (_name, options, message) => {
    await expect(fitStudy({ rows, attributes }, options)).rejects.toThrow(message);
  });

  it("a matrix of heterogeneity that is not symmetric", async () => {
    const heterogeneity = [
      [1, 0.5],
      [0, 1],
    ];
    await expect(
      fitStudy({ rows, attributes: { ...attributes, y: [0, 1, 1, 0] } }, { priors: { heterogeneity } }),
    ).rejects.toThrow(
      "priors.heterogeneity must be a variance above 0 or a positive definite matrix of 2 rows, got [[1,0.5],[0,1]]",
    );
  });

  it("no covariate, two choices in a set", async () => {
    await expect(fitStudy({ rows, attributes: {} })).rejects.toThrow(
      "attributes must have at least one column, got none",
    );
    await expect(fitStudy({ rows: { ...rows, chosen: [1, 1, 0, 1] }, attributes })).rejects.toThrow(
      'chosen must be 1 once in set 1 of respondent "a", got it in rows 1 and 2',
    );
  });
});
