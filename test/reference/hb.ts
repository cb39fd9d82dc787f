import { expect, it } from "vitest";
// The chains run on threads, from the compiled program.
import { randomSource } from "../../dist/numeric/random.js";
import type { AttributeColumns, ChoiceRows } from "../../dist/tradeoff/choice-data.js";
import { fitHierarchicalBayes, type HierarchicalBayesFit } from "../../dist/tradeoff/hierarchical-bayes.js";
import { block, keyLike, numbers, type ReferenceCase, referenceTable } from "./case.js";

interface Study {
  readonly rows: ChoiceRows;
  readonly attributes: AttributeColumns;
  /** Respondents' covariates. */
  readonly covariates: AttributeColumns;
}

/**
 * Holds hierarchical Bayes to a `hb_` case: dummies named in `order` (level 7 of column seat is "seat7") or all other columns
 * as they stand; `delta_x` stands for the effect of the respondents' column x. One fit a case, shared by the tests.
 */
export function runHbCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const means = numbers(result["pop_mean"]);
  const errors = numbers(result["pop_mean_sd"]);
  const covariate = keyLike(result, /^delta_/)?.slice("delta_".length);
  const study = studyOf(reference, result["order"] as readonly string[] | undefined, covariate);
  const names = Object.keys(study.attributes);
  const freedom = names.length + 3; // as bayesm: an inverse Wishart distribution with the scale matrix `freedom` times one
  let fit: Promise<HierarchicalBayesFit> | undefined;
  const fitted = (): Promise<HierarchicalBayesFit> => {
    const { rows, attributes, covariates } = study;
    fit ??= fitHierarchicalBayes(rows, attributes, {
      covariates,
      priors: { freedom, heterogeneity: freedom / (freedom - names.length - 1) },
      random: randomSource(1),
      chains: 2,
      warmup: 300,
      iterations: 500,
    });
    return fit;
  };

  it("means of the population within three posterior standard deviations, chains agreed", {
    timeout: 180_000, // the fit that all tests share
  }, async () => {
    const { population, diagnostics, converged } = await fitted();
    expect(converged).toBe(true);
    expect(diagnostics.rHat).toBeLessThan(1.05);
    for (const [j, name] of names.entries()) {
      const off = (population[name]?.mean as number) - (means[j] as number);
      expect(Math.abs(off)).toBeLessThan(3 * (errors[j] as number));
    }
  });

  const shift = numbers(result[`delta_${covariate ?? ""}`]);
  if (covariate !== undefined && shift.length > 0) {
    it(`effects of ${covariate}`, async () => {
      const { effects } = await fitted();
      for (const [j, name] of names.entries()) {
        const effect = effects[covariate]?.[name];
        const off = (effect?.mean as number) - (shift[j] as number);
        expect(Math.abs(off)).toBeLessThan(3 * (effect?.sd as number));
      }
    });
  }

  if (typeof result["rlh"] === "number") {
    it("root likelihood and hits", async () => {
      const { rootLikelihood, hitRate } = await fitted();
      expect(Math.abs(rootLikelihood - Number(result["rlh"]))).toBeLessThanOrEqual(0.02);
      expect(Math.abs(hitRate - Number(result["in_sample_hit_rate"]))).toBeLessThanOrEqual(0.02);
    });
  }

  const people = (result["individual_first10"] ?? []) as readonly (readonly number[])[];
  if (people.length > 0) {
    it("individual posterior means correlate with the peer's", async () => {
      const { individual } = await fitted();
      const own = people.flatMap((_, i) => Array.from(individual.values[i] as Float64Array));
      expect(correlation(own, people.flat())).toBeGreaterThanOrEqual(0.97);
    });
  }

  if (typeof result["mean_loglike_post_burn"] === "number") {
    it("mean log-likelihood within 2%", async () => {
      const { logLikelihood } = await fitted();
      expect(Math.abs(logLikelihood / Number(result["mean_loglike_post_burn"]) - 1)).toBeLessThan(0.02);
    });
  }
}

function studyOf({ data }: ReferenceCase, order: readonly string[] | undefined, covariate?: string): Study {
  const { header, rows } = referenceTable(data[0] ?? "");
  const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
  const like = (pattern: RegExp): string => header.find((name) => pattern.test(name)) ?? "";
  const keys = [like(/^resp/), like(/^(task|ques)/), like(/^choice/)];
  const [respondent = [], set = [], choice = []] = keys.map(column);
  const dummy = (name: string): number[] => {
    const source = header.find((title) => name.startsWith(title)) ?? "";
    return column(source).map((value) => Number(value === name.slice(source.length)));
  };
  const others = header.filter((name) => !keys.includes(name) && name !== "alt");
  const attributes = order
    ? order.map((name) => [name, dummy(name)] as const)
    : others.map((name) => [name, column(name).map(Number)] as const);
  const first = respondent.flatMap((who, row) => (who === respondent[row - 1] ? [] : [row]));
  const values = covariate === undefined ? [] : column(covariate);
  const covariates =
    covariate === undefined ? {} : { [covariate]: first.map((row) => Number(values[row] === "yes")) };
  return {
    rows: { respondent, set, chosen: choice.map(Number) },
    attributes: Object.fromEntries(attributes),
    covariates,
  };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (u: readonly number[], v: readonly number[], mu: number, mv: number): number =>
    u.reduce((sum, value, i) => sum + (value - mu) * ((v[i] as number) - mv), 0);
  return product(a, b, meanA, meanB) / Math.sqrt(product(a, a, meanA, meanA) * product(b, b, meanB, meanB));
}
