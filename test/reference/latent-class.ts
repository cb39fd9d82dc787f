import { expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { chooseClasses } from "../../src/tradeoff/latent-class.js";
import { type ReferenceCase, referenceTable } from "./case.js";
import { attributesOf } from "./mnl.js";

/**
 * Log-likelihood, BIC with 200 respondents, and shares of the classes: of an independent EM, the best of 12 starts, which
 * stopped where the likelihood was right to four digits and the shares to three.
 */
const EXPECTED = [
  { logLikelihood: -2581.6024, bic: 5200.29, shares: [1] },
  { logLikelihood: -2533.3492, bic: 5146.17, shares: [0.5509, 0.4491] },
  { logLikelihood: -2497.8562, bic: 5117.57, shares: [0.4091, 0.3301, 0.2608] },
  { logLikelihood: -2476.3256, bic: 5116.9 },
];

/** Holds latent-class logits to the best known optima of the minivan study (Chapman & Feit, chapter 13). */
export function runLatentClassMinivan({ name, data }: ReferenceCase): void {
  if (name !== "mnl_minivan") return;

  it("latent-class logits of one to four classes, at the best known optima", {
    timeout: 120_000,
  }, async () => {
    const table = referenceTable(data[0] ?? "");
    const column = (title: string): string[] =>
      table.rows.map((row) => row[table.header.indexOf(title)] ?? "");
    const names = ["seat7", "seat8", "cargo3ft", "enghyb", "engelec", "price35", "price40"];
    const { counts } = await chooseClasses(
      { respondent: column("resp.id"), set: column("ques"), chosen: column("choice").map(Number) },
      attributesOf(table, names),
      { upTo: EXPECTED.length, random: randomSource(1), workers: 0 },
    );
    for (const [k, { logLikelihood, bic, shares = [] }] of EXPECTED.entries()) {
      const fit = counts[k]?.fit;
      expect(fit?.logLikelihood).toBeCloseTo(logLikelihood, 4);
      expect(fit?.bic).toBeCloseTo(bic, 2);
      for (const [q, share] of shares.entries()) expect(fit?.classes[q]?.share).toBeCloseTo(share, 3);
    }
  });
}
