import { describe, expect, it } from "vitest";
import { bgNbd, mbgNbd } from "../../src/clv/bg-nbd.js";
import type { BuyingModel } from "../../src/clv/buying-model.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { randomSource } from "../../src/numeric/random.js";

/*
 * A thousand simulated worlds: other customers, other truths, no penaliser. Every fit must settle, and intervals for the
 * parameters must cover the truth as often as they claim: 90% of the time, up to chance and what a sample of this size
 * does to an asymptotic interval.
 */
const worlds: readonly {
  readonly model: BuyingModel;
  readonly count: number;
  readonly customers: number;
  readonly truth: (uniform: () => number) => Record<string, number>;
}[] = [
  {
    model: bgNbd,
    count: 550,
    customers: 4000,
    truth: (u) => ({ r: 0.4 + u(), alpha: 4 + 6 * u(), a: 0.6 + 0.6 * u(), b: 1.5 + 1.5 * u() }),
  },
  {
    model: mbgNbd,
    count: 330,
    customers: 4000,
    truth: (u) => ({ r: 0.4 + u(), alpha: 4 + 6 * u(), a: 0.6 + 0.6 * u(), b: 1.5 + 1.5 * u() }),
  },
  {
    model: paretoNbd,
    count: 120,
    customers: 4000,
    truth: (u) => ({ r: 0.5 + u(), alpha: 4 + 6 * u(), s: 0.5 + 0.5 * u(), beta: 8 + 8 * u() }),
  },
];
const NORMAL_95 = 1.6448536269514722;

describe.each(worlds)("$count worlds of $model.name", ({ model, count, customers, truth }) => {
  it("all settle, and 90% intervals cover between 87% and 93%", () => {
    const covered = new Map(model.parameterNames.map((name) => [name, 0]));
    const unsettled: number[] = [];
    for (let world = 0; world < count; world++) {
      const random = randomSource(40).stream(model.name).stream(world);
      const parameters = truth(() => random.uniform());
      // Whole weeks keep the cells, and with them the test, small.
      const ages = Float64Array.from({ length: customers }, () => 52 + Math.floor(26 * random.uniform()));
      const fit = model.fit(purchaseCells(model.simulate(parameters, ages, random)));
      if (!fit.converged) unsettled.push(world);
      for (const name of model.parameterNames) {
        const estimate = fit.parameters[name] as number;
        const logError = (fit.standardErrors[name] as number) / estimate;
        const miss = Math.abs(Math.log(estimate / (parameters[name] as number)));
        if (miss <= NORMAL_95 * logError) covered.set(name, (covered.get(name) as number) + 1);
      }
    }
    expect(unsettled).toEqual([]);
    const total = [...covered.values()].reduce((sum, hits) => sum + hits, 0);
    const coverage = total / (count * covered.size);
    expect(coverage).toBeGreaterThan(0.87);
    expect(coverage).toBeLessThan(0.93);
  }, 300_000);
});
