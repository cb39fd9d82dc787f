import { expect, it } from "vitest";
import { fitMaxDiff, type MaxDiffRows, maxDiffCounts } from "../../src/tradeoff/max-diff.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** Holds counts and the paired model to a `maxdiff_` case: one row a respondent, columns B1, W1, ... with places in the sets. */
export function runMaxDiffCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const items = result["items"] as readonly string[];
  const answers = answersOf(reference, result, items);
  const tolerance = (key: string): number => toleranceOf(reference.tolerance[key]);

  it("counts and scores", () => {
    const { counts, individual } = maxDiffCounts(answers, { items });
    expect(counts.map(({ item }) => item)).toEqual(items);
    expect(counts.map(({ best }) => best)).toEqual(result["best_total"]);
    expect(counts.map(({ worst }) => worst)).toEqual(result["worst_total"]);
    expect(counts.map(({ shown }) => shown)).toEqual(result["shown_total"]);
    expect(counts.map(({ score }) => score)).toEqual(result["bw_score"]);
    for (const [place, ratio] of numbers(result["sqrt_bw_ratio"]).entries())
      expect(counts[place]?.sqrtRatio).toBeCloseTo(ratio, 12);
    expect(individual.values).toHaveLength(Number(result["n_respondents"]));
  });

  it("paired model: coefficients, errors, log-likelihood and shares of preference", () => {
    const peer = block(result["maxdiff_paired_model"]);
    const zero = peer["reference_item"] as string;
    const { logit, utilities, shares } = fitMaxDiff(answers, { items, reference: zero });
    for (const [place, term] of (peer["terms"] as readonly string[]).entries()) {
      const value = numbers(peer["coef"])[place] as number;
      expect(Math.abs((utilities[term] as number) - value)).toBeLessThanOrEqual(tolerance("coef"));
      const error = numbers(peer["se"])[place] as number;
      expect(Math.abs((logit.standardErrors[term] as number) - error)).toBeLessThanOrEqual(tolerance("coef"));
    }
    expect(utilities[zero]).toBe(0);
    expect(Math.abs(logit.logLikelihood - Number(peer["loglik"]))).toBeLessThanOrEqual(tolerance("loglik"));
    expect(Math.abs(logit.nullLogLikelihood - Number(peer["loglik_null"]))).toBeLessThanOrEqual(
      tolerance("loglik"),
    );
    for (const [place, share] of numbers(peer["share_of_preference"]).entries())
      expect(Math.abs((shares[items[place] as string] as number) - share)).toBeLessThanOrEqual(
        tolerance("coef"),
      );
  });
}

/** Column B3 tells which place of the third set was best, W3 which was worst. */
function answersOf({ data }: ReferenceCase, result: Block, items: readonly string[]): MaxDiffRows {
  const { header, rows } = referenceTable(data[0] ?? "");
  const sets = result["choice_sets"] as readonly (readonly number[])[];
  const questions = rows.flatMap((row) =>
    sets.map((places, q) => {
      const shown = places.map((place) => items[place - 1] as string);
      const answer = (kind: string): string =>
        shown[Number(row[header.indexOf(`${kind}${q + 1}`)]) - 1] as string;
      return { respondent: row[0] as string, shown, best: answer("B"), worst: answer("W") };
    }),
  );
  const places = Math.max(...sets.map((set) => set.length));
  return {
    respondent: questions.map(({ respondent }) => respondent),
    items: Array.from({ length: places }, (_, k) => questions.map(({ shown }) => shown[k] ?? null)),
    best: questions.map(({ best }) => best),
    worst: questions.map(({ worst }) => worst),
  };
}
