import { expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { fitMixedLogit } from "../../src/tradeoff/mixed-logit.js";
import { fitNestedLogit } from "../../src/tradeoff/nested-logit.js";
import { type ReferenceCase, referenceTable } from "./case.js";
import { attributesOf } from "./mnl.js";

/** Holds mixed and nested logits to published fits of the fishing modes (Herriges & Kling). */
export function runFishingModels({ name, data }: ReferenceCase): void {
  if (name !== "mnl_fishing") return;
  const table = referenceTable(data[0] ?? "");
  const column = (title: string): string[] => table.rows.map((row) => row[table.header.indexOf(title)] ?? "");
  const rows = { set: column("id"), chosen: column("y").map(Number) };

  it("mixed logit, price and catch normal: as published, but for the draws", { timeout: 60_000 }, () => {
    // xlogit's documentation, 1,000 other draws: -1300.511; one choice a respondent, no alternative-specific constants.
    const { logLikelihood, coefficients, standardErrors } = fitMixedLogit(
      rows,
      attributesOf(table, ["price", "catch"]),
      { tastes: { price: "normal", catch: "normal" }, draws: 1000, random: randomSource(1) },
    );
    expect(Math.abs(logLikelihood + 1300.511)).toBeLessThan(0.3);
    for (const [term, value] of Object.entries({
      price: -0.02725,
      "sd price": 0.01021,
      catch: 1.3271,
      "sd catch": 1.5707,
    }))
      expect(Math.abs((coefficients[term] as number) - value)).toBeLessThan(
        0.2 * (standardErrors[term] as number),
      );
  });

  it("nested logit, shore and boat: no worse than published, whose search stopped on a flat ridge", {
    timeout: 60_000,
  }, () => {
    // Cameron & Trivedi, Microeconometrics Using Stata: -1192.4236, dissimilarities far above 1. Cited from memory, not from print.
    const nests = column("alt").map((mode) => (mode === "beach" || mode === "pier" ? "shore" : "boat"));
    const names = [
      "asc_boat",
      "asc_charter",
      "asc_pier",
      "price",
      "catch",
      "inc_boat",
      "inc_charter",
      "inc_pier",
    ];
    const { logLikelihood, independenceTest, warnings } = fitNestedLogit(rows, attributesOf(table, names), {
      nests,
    });
    expect(logLikelihood).toBeGreaterThan(-1192.4236);
    expect(logLikelihood).toBeLessThan(-1192.4);
    // Against the conditional logit, whose log-likelihood is -1215.1376.
    expect(independenceTest.chiSquare).toBeCloseTo(2 * (logLikelihood + 1215.1376), 3);
    expect(warnings).toHaveLength(2);
  });
}
