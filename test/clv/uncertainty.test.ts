import {
  type BootstrapRun,
  bootstrapDraws,
  bgNbd as builtBgNbd,
  purchaseCells as builtPurchaseCells,
  randomSource as builtRandomSource,
} from "clientele";
import { describe, expect, it } from "vitest";
import { bdwObjective, fitBetaDiscreteWeibull } from "../../src/clv/beta-discrete-weibull.js";
import { bgbbObjective, fitBgBb, simulateBgBb } from "../../src/clv/bg-bb.js";
import { bgNbd } from "../../src/clv/bg-nbd.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { customerEquity } from "../../src/clv/equity.js";
import type { ModelFit } from "../../src/clv/fit.js";
import { forecastCustomers } from "../../src/clv/forecast.js";
import { fitGammaGamma, gammaGammaObjective, simulateGammaGamma } from "../../src/clv/gamma-gamma.js";
import { nbd } from "../../src/clv/nbd.js";
import { drawOutcomes, probabilityAbove, rankCertainty } from "../../src/clv/outcomes.js";
import {
  fitShiftedBetaGeometric,
  sbgDiscountedResidualLifetime,
  sbgObjective,
} from "../../src/clv/shifted-beta-geometric.js";
import { equalTailed, intervalOf, intervalsOf, posteriorDraws } from "../../src/clv/uncertainty.js";
import { customerLifetimeValues } from "../../src/clv/value.js";
import { numberColumn, textColumn } from "../../src/core/table.js";
import { weeks } from "../../src/core/types.js";
import type { Objective } from "../../src/numeric/minimise.js";
import { randomSource } from "../../src/numeric/random.js";

const bg = { r: 0.2426, alpha: 4.4135, a: 0.7929, b: 2.4258 };
const spendTruth = { p: 6.2488, q: 3.7446, gamma: 15.4477 };
const ages = (customers: number): Float64Array =>
  Float64Array.from({ length: customers }, (_, row) => 27 + (row % 84) / 7);
const drawn = bgNbd.simulate(bg, ages(2000), randomSource(5));
const cells = purchaseCells(drawn);
const fit = bgNbd.fit(cells);

describe("posteriorDraws", () => {
  const draws = posteriorDraws(fit, bgNbd.objective(cells), { draws: 4000, random: randomSource(6) });

  it("spread around the estimate as its standard errors say", () => {
    for (const name of bgNbd.parameterNames) {
      const logs = draws.parameters.map((parameters) => Math.log(parameters[name]));
      const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
      const spread = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
      const asymptotic = fit.standardErrors[name] / fit.parameters[name];
      expect(Math.abs(mean - Math.log(fit.parameters[name])) / asymptotic).toBeLessThan(0.35);
      expect(spread / asymptotic).toBeGreaterThan(0.9);
      expect(spread / asymptotic).toBeLessThan(1.3);
    }
    expect(draws.effectiveSampleSize).toBeGreaterThan(5000);
    expect(draws.warnings).toEqual([]);
  });

  it("are the same for the same seed", () => {
    const again = posteriorDraws(fit, bgNbd.objective(cells), { draws: 4000, random: randomSource(6) });
    expect(again).toEqual(draws);
  });

  it("give intervals of predictions", () => {
    const customer = { x: 2, recency: 30.43, age: 38.86 };
    const expected = (parameters: typeof fit.parameters): number =>
      bgNbd.expectedPurchases(parameters, customer, 39);
    const { low, median, high } = intervalOf(draws, expected);
    expect(low).toBeLessThan(expected(fit.parameters));
    expect(high).toBeGreaterThan(expected(fit.parameters));
    expect(median).toBeCloseTo(expected(fit.parameters), 1);
    expect(intervalOf(draws, expected, 0.5).high).toBeLessThan(high);
  });

  it("give intervals of columns of predictions, each as alone", () => {
    const customers = { x: [2, 0], recency: [30.43, 0], age: [38.86, 38.86] };
    const { low, high } = intervalsOf(
      draws,
      (parameters) => forecastCustomers(bgNbd, parameters, customers, { horizon: 39 }).purchases,
    );
    const second = intervalOf(draws, (parameters) =>
      bgNbd.expectedPurchases(parameters, { x: 0, recency: 0, age: 38.86 }, 39),
    );
    expect(low[1]).toBeCloseTo(second.low, 12);
    expect(high[1]).toBeCloseTo(second.high, 12);
    expect(() => intervalsOf(draws, (_, draw) => [1, 2].slice(0, 1 + (draw % 2)))).toThrow(
      "quantities must be 1 for every draw, got 2",
    );
  });

  it("warn on a ridge, which they follow a limited way", () => {
    const withoutDropout = nbd.simulate({ r: 1, alpha: 8 }, ages(300), randomSource(9));
    const ridgeCells = purchaseCells(withoutDropout);
    const ridge = bgNbd.fit(ridgeCells);
    expect(ridge.identification.weak).toBe(true);
    const wide = posteriorDraws(ridge, bgNbd.objective(ridgeCells), { draws: 200, random: randomSource(6) });
    expect(wide.warnings[0]).toContain("BG/NBD: weakly identified");
    expect(wide.parameters.every(({ a, b }) => a > 0 && b > 0 && Number.isFinite(a + b))).toBe(true);
  });

  it("need at least one", () => {
    expect(() => posteriorDraws(fit, bgNbd.objective(cells), { draws: 0, random: randomSource(6) })).toThrow(
      "draws must be a whole number of 1 or more, got 0",
    );
  });
});

describe("posteriorDraws of the other models", () => {
  // Fader & Hardie (2007), High End: 1,000 customers, years 0-7.
  const survivors = [1000, 869, 743, 653, 593, 551, 517, 491];
  const histories = simulateBgBb(
    { alpha: 1.2, beta: 0.75, gamma: 0.66, delta: 2.8 },
    new Float64Array(3000).fill(6),
    randomSource(4),
  );

  it("spread as the standard errors say", () => {
    const [sbg, bdw, bgbb] = [
      fitShiftedBetaGeometric(survivors),
      fitBetaDiscreteWeibull(survivors),
      fitBgBb(histories),
    ];
    const cases: readonly [ModelFit<string>, Objective][] = [
      [sbg, sbgObjective(survivors)],
      [bdw, bdwObjective(survivors)],
      [bgbb, bgbbObjective(histories)],
    ];
    for (const [own, objective] of cases) {
      const sample = posteriorDraws(own, objective, { draws: 2000, random: randomSource(3) });
      expect(sample.warnings).toEqual([]);
      for (const [name, estimate] of Object.entries(own.parameters)) {
        const { low, high } = intervalOf(sample, (parameters) => Math.log(parameters[name] as number));
        const width = (high - low) / (2 * 1.645);
        const asymptotic = (own.standardErrors[name] as number) / estimate;
        expect(width / asymptotic).toBeGreaterThan(0.8);
        expect(width / asymptotic).toBeLessThan(1.6);
      }
    }
  });

  it("give an interval to the residual lifetime of a contract", () => {
    const sample = posteriorDraws(fitShiftedBetaGeometric(survivors), sbgObjective(survivors), {
      random: randomSource(3),
    });
    const terms = { renewals: 7, discountRate: 0.1 };
    const { low, high } = intervalOf(sample, (parameters) =>
      sbgDiscountedResidualLifetime(parameters, terms),
    );
    expect(low).toBeLessThan(7.53);
    expect(high).toBeGreaterThan(7.53);
    expect(high - low).toBeLessThan(1);
  });
});

describe("bootstrapDraws", () => {
  // Worker threads run the built package.
  const builtCells = builtPurchaseCells(drawn);
  const builtFit = builtBgNbd.fit(builtCells);
  const run = (options: Partial<BootstrapRun>) =>
    bootstrapDraws(builtBgNbd, builtCells, builtFit, {
      draws: 300,
      random: builtRandomSource(3),
      ...options,
    });

  it("spread as the standard errors say, and do not depend on the number of workers", async () => {
    const steps: number[] = [];
    const draws = await run({ workers: 2, onProgress: (done) => steps.push(done) });
    expect(steps.at(-1)).toBe(300);
    expect(draws.warnings).toEqual([]);
    for (const name of builtBgNbd.parameterNames) {
      const { low, high } = intervalOf(draws, (parameters) => Math.log(parameters[name]));
      const width = (high - low) / (2 * 1.645);
      const asymptotic = builtFit.standardErrors[name] / builtFit.parameters[name];
      expect(width / asymptotic).toBeGreaterThan(0.8);
      expect(width / asymptotic).toBeLessThan(1.4);
    }
    expect(await run({ workers: 0 })).toEqual(draws);
  });

  it("end early when told to", async () => {
    const controller = new AbortController();
    const promise = run({
      draws: 20_000,
      workers: 2,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(promise).rejects.toThrow("enough");
  });

  it("need whole customers", async () => {
    const half = { ...builtCells, weight: builtCells.weight.map(() => 0.3) };
    await expect(
      bootstrapDraws(builtBgNbd, half, builtFit, { random: builtRandomSource(3) }),
    ).rejects.toThrow("cells must stand for a whole number of customers, got");
  });
});

describe("equalTailed", () => {
  it("takes quantiles of type 7", () => {
    // R: quantile(1:10, c(.05, .5, .95))
    const { low, median, high } = equalTailed([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(low).toBeCloseTo(1.45, 14);
    expect(median).toBe(5.5);
    expect(high).toBeCloseTo(9.55, 12);
  });

  it("refuses what has no interval", () => {
    expect(() => equalTailed([], 0.9)).toThrow("draws must hold at least one, got none");
    expect(() => equalTailed([1, Number.NaN], 0.9)).toThrow(
      "the quantity must be finite for every draw, got NaN",
    );
    expect(() => equalTailed([1, 2], 90)).toThrow("level must be between 0 and 1, got 90");
  });
});

const spends = simulateGammaGamma(spendTruth, drawn.x, randomSource(8));
const buyers = {
  x: drawn.x.filter((x) => x > 0),
  meanSpend: spends.meanSpend.filter((spend) => spend > 0),
};
const spendFit = fitGammaGamma(buyers);
const draws = posteriorDraws(fit, bgNbd.objective(cells), { draws: 400, random: randomSource(1) });
const spendDraws = posteriorDraws(spendFit, gammaGammaObjective(buyers), {
  draws: 400,
  random: randomSource(2),
});

describe("outcomes", () => {
  const some = {
    x: drawn.x.slice(0, 150),
    recency: drawn.recency.slice(0, 150),
    age: drawn.age.slice(0, 150),
    meanSpend: spends.meanSpend.slice(0, 150),
  };
  const outcomes = drawOutcomes(bgNbd, draws, some, {
    horizon: 39,
    random: randomSource(3),
    spend: spendDraws,
  });

  it("have the expectation as mean", () => {
    const mean = outcomes.purchases.reduce((sum, count) => sum + count, 0) / outcomes.worlds;
    const expected = some.x.reduce((sum, x, row) => {
      const customer = { x, recency: some.recency[row] as number, age: some.age[row] as number };
      return sum + bgNbd.expectedPurchases(fit.parameters, customer, 39);
    }, 0);
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.03);
    const money = outcomes.spend.reduce((sum, spent) => sum + spent, 0) / outcomes.worlds;
    const values = customerLifetimeValues(bgNbd, fit.parameters, spendFit.parameters, some, {
      unit: "weeks",
      convention: "just acquired",
      horizon: weeks(39),
      discount: { rate: 0, per: weeks(52) },
    });
    expect(Math.abs(money / values.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThan(0.04);
  });

  it("rank customers with the certainty there is", () => {
    const ranks = rankCertainty(outcomes, outcomes.spend, { topShare: 0.1 });
    expect(ranks.reduce((sum, { topProbability }) => sum + topProbability, 0)).toBeGreaterThan(14);
    expect(ranks.reduce((sum, { topProbability }) => sum + topProbability, 0)).toBeLessThan(16);
    for (const { rank, outcome } of ranks) {
      expect(rank.low).toBeGreaterThanOrEqual(1);
      expect(rank.high).toBeLessThanOrEqual(150);
      expect(outcome.low).toBeLessThanOrEqual(outcome.high);
    }
    const most = some.x.indexOf(Math.max(...some.x));
    const none = some.x.indexOf(0);
    const above = probabilityAbove(outcomes, outcomes.purchases, most, none);
    expect(above).toBeGreaterThan(0.5);
    expect(above + probabilityAbove(outcomes, outcomes.purchases, none, most)).toBeCloseTo(1, 12);
    expect(probabilityAbove(outcomes, outcomes.purchases, none, none)).toBe(0.5);
  });

  it("refuse draws that do not fit together and rows that are not there", () => {
    const fewer = { ...spendDraws, parameters: spendDraws.parameters.slice(1) };
    expect(() =>
      drawOutcomes(bgNbd, draws, some, { horizon: 39, random: randomSource(3), spend: fewer }),
    ).toThrow("spend must have as many draws as the parameters, 400, got 399");
    expect(() => probabilityAbove(outcomes, outcomes.purchases, 0, 150)).toThrow(
      "customer must be a row from 0 to 149, got 150",
    );
    expect(() => rankCertainty(outcomes, outcomes.purchases, { topShare: 10 })).toThrow(
      "topShare must be between 0 and 1, got 10",
    );
  });
});

describe("customerEquity", () => {
  const customers = { ...drawn, meanSpend: spends.meanSpend };
  const terms = {
    unit: "weeks",
    convention: "just acquired",
    horizon: "lifetime",
    discount: { rate: 0.15, per: weeks(52) },
    margin: 0.4,
  } as const;
  const segment = Array.from(drawn.x, (x) => (x === 0 ? "once" : x < 3 ? "some" : "often"));
  const few = (source: typeof draws) => ({ ...source, parameters: source.parameters.slice(0, 40) });
  const input = {
    model: bgNbd,
    fit,
    spendFit,
    customers,
    segment,
    terms,
    draws: few(draws),
    spendDraws: { ...spendDraws, parameters: spendDraws.parameters.slice(0, 40) },
  };
  const equity = customerEquity(input);

  it("adds up, by falling value, with the whole base last", () => {
    const names = textColumn(equity, "segment");
    expect(names).toHaveLength(4);
    expect(names.at(-1)).toBe("all");
    const values = customerLifetimeValues(bgNbd, fit.parameters, spendFit.parameters, customers, terms);
    const totals = [...numberColumn(equity, "equity")];
    const all = totals.pop() as number;
    expect(all).toBeCloseTo(
      values.reduce((sum, value) => sum + value, 0),
      6,
    );
    expect(totals.reduce((sum, value) => sum + value, 0)).toBeCloseTo(all, 6);
    expect(totals).toEqual([...totals].sort((a, b) => b - a));
    expect(numberColumn(equity, "share").at(-1)).toBe(1);
    for (const row of equity.objects() as { low: number; value: number; high: number }[]) {
      expect(row.low).toBeLessThan(row.value);
      expect(row.high).toBeGreaterThan(row.value);
    }
  });

  it("refuses segments and draws that do not fit", () => {
    expect(() => customerEquity({ ...input, segment: segment.slice(1) })).toThrow(
      "segment must have one entry for each of 2000 customers, got 1999",
    );
    expect(() => customerEquity({ ...input, spendDraws })).toThrow(
      "spendDraws must be as many as the draws, 40, got 400",
    );
  });
});

it("intervals cover the truth as often as they say", () => {
  // 300 worlds of 500 customers: the 90% posterior interval of a new customer's expected purchases in a year.
  const newcomer = { x: 0, recency: 0, age: 0 };
  const target = bgNbd.expectedPurchases(bg, newcomer, 52);
  let covered = 0;
  for (let world = 0; world < 300; world++) {
    const random = randomSource(77).stream(world);
    const sample = purchaseCells(bgNbd.simulate(bg, ages(500), random));
    const posterior = posteriorDraws(bgNbd.fit(sample), bgNbd.objective(sample), { draws: 100, random });
    const { low, high } = intervalOf(posterior, (parameters) =>
      bgNbd.expectedPurchases(parameters, newcomer, 52),
    );
    covered += Number(low <= target && target <= high);
  }
  expect(covered / 300).toBeGreaterThan(0.87);
  expect(covered / 300).toBeLessThan(0.93);
});
