import { describe, expect, it } from "vitest";
import { bgNbd, mbgNbd } from "../../src/clv/bg-nbd.js";
import { purchaseCells } from "../../src/clv/cells.js";
import { explainFit } from "../../src/clv/convergence-doctor.js";
import { nbd } from "../../src/clv/nbd.js";
import { paretoNbd } from "../../src/clv/pareto-nbd.js";
import { posteriorDraws } from "../../src/clv/uncertainty.js";
import { randomSource } from "../../src/numeric/random.js";

const models = [bgNbd, mbgNbd, paretoNbd] as const;

describe("customers who buy hundreds of times", () => {
  // lifetimes issue 405: mean x 177 in T 501 did not converge, "try a larger penalizer".
  const random = randomSource(405);
  const ages = Float64Array.from({ length: 5000 }, () => 501);
  const truth = { r: 0.8, alpha: 2, s: 0.6, beta: 900 };
  const daily = paretoNbd.simulate(truth, ages, random);
  const cells = purchaseCells(daily);

  it("are as many as in the report", () => {
    const mean = daily.x.reduce((sum, x) => sum + x, 0) / daily.x.length;
    expect(mean).toBeGreaterThan(150);
    expect(mean).toBeLessThan(200);
    expect(Math.max(...daily.x)).toBeGreaterThan(1000);
  });

  it.each(models)("are fitted by the $name without a penaliser", (model) => {
    const fit = model.fit(cells);
    expect(fit.converged).toBe(true);
    expect(fit.identification.weak).toBe(false);
  });

  it("give the parameters back that drew them", () => {
    const { parameters, standardErrors } = paretoNbd.fit(cells);
    for (const name of paretoNbd.parameterNames) {
      expect(Math.abs(parameters[name] - truth[name])).toBeLessThan(3 * standardErrors[name]);
    }
  });
});

describe("invoices of wholesalers", () => {
  // As in public invoice data: most buy a few times a year, some every other day, and hardly anybody leaves.
  const random = randomSource(7);
  const ages = Float64Array.from({ length: 1500 }, (_, row) => 100 + (row % 270));
  const small = nbd.simulate({ r: 0.9, alpha: 90 }, ages, random.stream("small"));
  const large = nbd.simulate({ r: 4, alpha: 8 }, new Float64Array(12).fill(370), random.stream("large"));
  const both = (key: "x" | "recency" | "age"): Float64Array =>
    Float64Array.from([...small[key], ...large[key]]);
  const cells = purchaseCells({ x: both("x"), recency: both("recency"), age: both("age") });

  it.each(models)("are fitted by the $name no worse than without dropout", (model) => {
    expect(Math.max(...cells.x)).toBeGreaterThan(200);
    expect(model.fit(cells).logLikelihood).toBeGreaterThanOrEqual(nbd.fit(cells).logLikelihood - 0.01);
  });

  it("leave the Pareto/NBD a ridge, which it reports", () => {
    const fit = paretoNbd.fit(cells);
    expect(fit.identification.weak).toBe(true);
    expect(fit.identification.ridge).not.toBe("");
    expect(fit.warnings.join("\n")).toContain("Pareto/NBD: ");
    const { text, advice } = explainFit(paretoNbd, cells, fit);
    expect(text).toContain("NBD");
    expect(advice.length).toBeGreaterThan(0);
    const draws = posteriorDraws(fit, paretoNbd.objective(cells), { draws: 50, random: randomSource(1) });
    expect(draws.warnings.length).toBeGreaterThan(0);
  });
});
