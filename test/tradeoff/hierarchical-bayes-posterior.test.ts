import { describe, expect, it } from "vitest";
// The chains run on threads, from the compiled program, and so does all that they are compared with.
import { randomSource } from "../../dist/numeric/random.js";
import type { HierarchicalBayesFit } from "../../dist/tradeoff/hierarchical-bayes.js";
import { gaussLegendre } from "../../src/numeric/quadrature.js";
import { fitStudy } from "./fit-study.js";
import { simulatedStudy, type Taste } from "./worlds.js";

/** Choices among alternatives that are all the same. */
function blankStudy() {
  const set = Array.from({ length: 8 }, (_, row) => Math.floor(row / 2));
  const a = set.map(() => 1);
  return {
    rows: { set, chosen: set.map((_, row) => row % 2), respondent: set },
    attributes: { a, b: a },
  };
}

/** Standard deviations over 3 have this distribution function, within four Monte Carlo standard errors. */
function expectSpreads({ heterogeneity }: HierarchicalBayesFit, below: (x: number) => number): void {
  for (const { low, median, high, essBulk, essTail } of Object.values(heterogeneity)) {
    expect(Math.abs(below(median / 3) - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / essBulk));
    expect(Math.abs(below(low / 3) - 0.05)).toBeLessThan(4 * Math.sqrt(0.0475 / essTail));
    expect(Math.abs(below(high / 3) - 0.95)).toBeLessThan(4 * Math.sqrt(0.0475 / essTail));
  }
}

describe("the posterior is exact", () => {
  it("without information it is the prior", async () => {
    const flat = { set: [1, 1], chosen: [1, 0] };
    const people = 12;
    const rows = {
      set: Array.from({ length: people }, () => flat.set).flat(),
      chosen: Array.from({ length: people }, () => flat.chosen).flat(),
      respondent: Array.from({ length: people }, (_, i) => [i, i]).flat(),
    };
    const a = rows.set.map(() => 1);
    const one = await fitStudy(
      { rows, attributes: { a, b: a } },
      {
        priors: {
          freedom: 12,
          meanVariance: 4,
          heterogeneity: [
            [1, 0.5],
            [0.5, 2],
          ],
        },
        iterations: 4000,
      },
    );
    expect(one.acceptance.population).toBeGreaterThan(0.6);
    const wide = 4; // Monte Carlo standard errors
    for (const [j, name] of ["a", "b"].entries()) {
      const { mean, sd, essBulk, low, high } = one.population[name] as (typeof one.population)[string];
      expect(Math.abs(mean)).toBeLessThan((wide * 2) / Math.sqrt(essBulk));
      expect(Math.abs(sd - 2)).toBeLessThan((wide * 2) / Math.sqrt(2 * essBulk));
      expect(Math.abs(low + 2 * 1.6449)).toBeLessThan(0.3);
      expect(Math.abs(high - 2 * 1.6449)).toBeLessThan(0.3);
      // The guess is the prior mean; variances of an inverse Wishart matrix have relative sd sqrt(2 / (freedom - p - 3)).
      const expected = j === 0 ? 1 : 2;
      const { essBulk: worth } = one.heterogeneity[name] as (typeof one.population)[string];
      const relative = Math.sqrt(2 / 7) / Math.sqrt(worth);
      expect(Math.abs((one.heterogeneityCovariance[j]?.[j] as number) / expected - 1)).toBeLessThan(
        wide * relative,
      );
    }
    expect(Math.abs((one.heterogeneityCovariance[0]?.[1] as number) - 0.5)).toBeLessThan(0.06);
    expect(one.warnings).toEqual([
      "a never varies within a choice set: its coefficients are the prior's",
      "b never varies within a choice set: its coefficients are the prior's",
      "12 of 12 respondents made fewer choices than there are coefficients (2): their part-worths lean on the population's",
    ]);
    expect(one.hitRate).toBeGreaterThan(0);
  });

  it("without data, standard deviations are half-t and correlations of any size equally likely", async () => {
    const fit = await fitStudy(blankStudy(), {
      priors: { heterogeneity: 9, meanVariance: 4 },
      chains: 4,
      iterations: 10_000,
    });
    expect(Object.keys(fit.populationDraws)).toEqual(["a", "b"]);
    expectSpreads(fit, (x) => x / Math.sqrt(2 + x * x));
    for (const { mean, sd, essBulk } of Object.values(fit.population)) {
      expect(Math.abs(mean)).toBeLessThan((4 * 2) / Math.sqrt(essBulk));
      expect(Math.abs(sd - 2)).toBeLessThan((4 * 2) / Math.sqrt(2 * essBulk));
    }
  });

  it("without data, a matrix of heterogeneity is known but for one factor", async () => {
    const fit = await fitStudy(blankStudy(), {
      priors: {
        heterogeneity: [
          [9, 4.5],
          [4.5, 9],
        ],
      },
      chains: 4,
      iterations: 10_000,
    });
    // Half-t with 6 degrees of freedom (Abramowitz & Stegun 26.7.4).
    expectSpreads(fit, (x) => {
      const squaredCosine = 6 / (6 + x * x);
      return Math.sqrt(1 - squaredCosine) * (1 + squaredCosine / 2 + (3 * squaredCosine ** 2) / 8);
    });
    // Variances over 9 are F distributed with 1 and 6 degrees of freedom: mean 1.5, and the root of 5 times that is their sd.
    const [[variance = 0, covariance = 0] = []] = fit.heterogeneityCovariance;
    const relative = Math.sqrt(5 / (fit.heterogeneity["a"]?.essBulk as number));
    expect(Math.abs(variance / (9 * 1.5) - 1)).toBeLessThan(4 * relative);
    expect(Math.abs(covariance / variance - 0.5)).toBeLessThan(0.03);
  });

  it("with known heterogeneity its mean is that of numerical integration", async () => {
    // One binary attribute, pairs with and without it; heterogeneity 1 for certain; k of 4 taken by each respondent.
    const taken = [4, 3, 4, 2, 3, 4, 1, 3];
    const rows = { set: [] as number[], chosen: [] as number[], respondent: [] as number[] };
    const with_: number[] = [];
    for (const [who, count] of taken.entries()) {
      for (let task = 0; task < 4; task++) {
        rows.set.push(task, task);
        rows.respondent.push(who, who);
        rows.chosen.push(Number(task < count), Number(task >= count));
        with_.push(1, 0);
      }
    }
    const { nodes, weights } = gaussLegendre(80);
    const integral = (f: (x: number) => number, from: number, to: number): number => {
      const half = (to - from) / 2;
      return nodes.reduce(
        (sum, node, k) => sum + half * (weights[k] as number) * f(from + half * (1 + node)),
        0,
      );
    };
    const likelihood = (mu: number, k: number): number =>
      integral((b) => Math.exp(k * b - 4 * Math.log1p(Math.exp(b)) - (b - mu) ** 2 / 2), mu - 9, mu + 9);
    const density = (mu: number): number =>
      taken.reduce((product, k) => product * likelihood(mu, k), Math.exp(-(mu ** 2) / 200));
    const [mass, first, second] = [0, 1, 2].map((power) =>
      integral((mu) => mu ** power * density(mu), -3, 8),
    ) as [number, number, number];
    const exact = { mean: first / mass, sd: Math.sqrt(second / mass - (first / mass) ** 2) };
    const { population } = await fitStudy(
      { rows, attributes: { with: with_ } },
      { priors: { freedom: 1e7, heterogeneity: 1 }, iterations: 4000 },
    );
    const { mean, sd, essBulk } = population["with"] as (typeof population)[string];
    expect(essBulk).toBeGreaterThan(1000);
    expect(Math.abs(mean - exact.mean)).toBeLessThan((4 * exact.sd) / Math.sqrt(essBulk));
    expect(Math.abs(sd - exact.sd)).toBeLessThan((4 * exact.sd) / Math.sqrt(2 * essBulk));
  });

  it("eight choices for eight coefficients blow up neither means nor spreads, and chains move", async () => {
    const names = Array.from({ length: 8 }, (_, j) => `x${j}`);
    const weak: Taste = {
      mean: Object.fromEntries(names.map((name, j) => [name, j % 2 === 0 ? 0.8 : -0.8])),
      spread: Object.fromEntries(names.map((name) => [name, 0.5])),
    };
    const { population, heterogeneity, diagnostics } = await fitStudy(
      simulatedStudy(weak, { respondents: 120, tasks: 8, seed: 4 }),
      { warmup: 100, iterations: 200 },
    );
    const over = (value: (name: string) => number): number =>
      names.reduce((sum, name) => sum + value(name), 0) / names.length;
    // One scale is in all of them, so that their mean is hardly surer than each.
    expect(
      Math.abs(over((x) => (population[x]?.mean as number) / (weak.mean[x] as number)) - 1),
    ).toBeLessThan(over((x) => population[x]?.sd as number) / 0.8);
    expect(Math.abs(over((x) => heterogeneity[x]?.mean as number) - 0.5)).toBeLessThan(
      over((x) => heterogeneity[x]?.sd as number),
    );
    expect(diagnostics.essBulk).toBeGreaterThan(50); // of 400, of the worst covariance
  });

  it.each([0.4, 2])(
    "spreads of %d are found with six choices each, whatever the prior's scale",
    async (spread) => {
      const names = ["x", "y", "z"];
      const wide: Taste = {
        mean: { x: 0.8, y: -0.5, z: 0.3 },
        spread: Object.fromEntries(names.map((name) => [name, spread])),
      };
      let [covered, sum] = [0, 0];
      for (let seed = 1; seed <= 12; seed++) {
        const { heterogeneity } = await fitStudy(simulatedStudy(wide, { respondents: 100, tasks: 6, seed }), {
          random: randomSource(seed),
          chains: 1,
          warmup: 80,
          iterations: 160,
        });
        for (const { low, high, mean } of Object.values(heterogeneity)) {
          covered += Number(low <= spread && spread <= high);
          sum += mean / spread / 36;
        }
      }
      expect(covered).toBeGreaterThanOrEqual(27); // of 36, 90% of which are expected: three standard errors
      expect(sum).toBeGreaterThan(0.8);
      expect(sum).toBeLessThan(1.4); // a spread hard to tell from none is estimated above it
    },
  );

  it("its 90% intervals over 60 small studies cover the truth in about 90%", async () => {
    const small: Taste = { mean: { organic: 0.8, price: -0.6 }, spread: { organic: 1, price: 0.7 } };
    let covered = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { population } = await fitStudy(simulatedStudy(small, { respondents: 30, tasks: 6, seed }), {
        random: randomSource(seed),
        chains: 1,
        warmup: 60,
        iterations: 100,
      });
      for (const [name, truth] of Object.entries(small.mean)) {
        const { low, high } = population[name] as (typeof population)[string];
        if (low <= truth && truth <= high) covered++;
      }
    }
    expect(covered / 120).toBeGreaterThan(0.82); // three standard errors of a share of 0.9 out of 120
    expect(covered / 120).toBeLessThan(0.98);
  });
});
