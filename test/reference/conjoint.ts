import { expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { attributeImportance } from "../../src/tradeoff/importance.js";
import { type Market, marketOf } from "../../src/tradeoff/market.js";
import {
  type AttributeLevels,
  categoricalAttribute,
  levelUtilities,
  pooledPartWorths,
} from "../../src/tradeoff/part-worths.js";
import { fitRatingsConjoint } from "../../src/tradeoff/ratings-conjoint.js";
import { type ChoiceRule, simulateMarket } from "../../src/tradeoff/simulator.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** Holds ratings conjoint and its simulator to one `conjoint_` case: one profile a row, one respondent a row of ratings. */
export function runConjointCase(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const names = (result["attributes"] as string[] | undefined) ?? [];
  const file = (part: string): string => reference.data.find((name) => name.includes(part)) ?? "";
  const profiles = referenceTable(file("profiles")).rows.map((row) => row.map(Number));
  const ratings = referenceTable(file("ratings")).rows.map((row) => row.map(Number));
  const attributes: AttributeLevels[] = names.map((name, place) => {
    const count = Math.max(...profiles.map((profile) => profile[place] as number));
    const levels = Array.from({ length: count }, (_, level) => level + 1);
    return categoricalAttribute(name, levels, { coding: "effects", reference: count });
  });
  const market = (rows: readonly (readonly number[])[]): Market =>
    marketOf(
      attributes,
      rows.map((levels, place) => ({
        name: `profile ${place + 1}`,
        levels: Object.fromEntries(names.map((name, k) => [name, String(levels[k])])),
      })),
    );
  const shown = market(profiles).attributes;
  const repeated = Object.fromEntries(
    Object.entries(shown).map(([name, column]) => [name, ratings.flatMap(() => Array.from(column))]),
  );
  const fit = fitRatingsConjoint(
    {
      respondent: ratings.flatMap(([who = 0, ...own]) => own.map(() => who)),
      rating: ratings.flatMap(([, ...own]) => own),
    },
    repeated,
  );
  const utilities = levelUtilities(fit.partWorths, attributes);
  const tolerance = (key: string): number => toleranceOf(reference.tolerance[key]);
  const expectNear = (own: ArrayLike<number>, peer: readonly number[], within: number): void => {
    expect(own.length).toBe(peer.length);
    for (const [place, value] of peer.entries())
      expect(Math.abs((own[place] as number) - value)).toBeLessThanOrEqual(within);
  };

  it("part-worths of each respondent", () => {
    const rows = result["partworths_first10"] as number[][];
    expect(rows.length).toBeGreaterThan(0);
    for (const [who, row] of rows.entries()) {
      const own = [fit.partWorths.values[who]?.[0] as number, ...(utilities.values[who] as Float64Array)];
      expectNear(own, row, tolerance("partworths"));
    }
  });

  it("mean part-worths and importance", () => {
    const pooled = numbers(result["aggregate_utilities"]);
    const n = utilities.values.length;
    const mean = (of: (who: number) => number): number =>
      Array.from({ length: n }, (_, who) => of(who)).reduce((sum, value) => sum + value, 0) / n;
    expectNear(
      [
        mean((who) => fit.partWorths.values[who]?.[0] as number),
        ...Array.from(pooled.slice(1), (_, place) => mean((who) => utilities.values[who]?.[place] as number)),
      ],
      pooled,
      tolerance("ols"),
    );
    const importance = attributeImportance(utilities, { random: randomSource(1), resamples: 100 });
    expectNear(
      importance.attributes.map((attribute) => 100 * attribute.importance),
      numbers(result["importance_mean_of_individual_pct"]),
      tolerance("importance"),
    );
  });

  it("pooled least squares", () => {
    const peer = block(result["pooled_ols_effects_coding"]);
    const { pooled } = fit;
    const within = tolerance("ols");
    expectNear(Object.values(pooled.coefficients), numbers(peer["coef"]), within);
    expectNear(Object.values(pooled.standardErrors), numbers(peer["se"]), within);
    expectNear(Object.values(pooled.t), numbers(peer["t"]), within);
    expectNear(
      [pooled.r2, pooled.adjustedR2, pooled.residualStandardError],
      [peer["r2"], peer["adj_r2"], peer["sigma"]].map(Number),
      within,
    );
  });

  it("simulated shares by maximum utility, Bradley-Terry-Luce and logit", () => {
    const peer = block(result["simulation"]);
    const rows = (peer["profiles"] as Block[]).map((profile) => names.map((name) => Number(profile[name])));
    const simulated = market(rows);
    const rated = { ...simulated, attributes: { ...simulated.attributes, intercept: rows.map(() => 1) } };
    const shares = (rule: ChoiceRule, weights?: number[]): number[] =>
      simulateMarket(fit.partWorths, rated, { rule, ...(weights ? { weights } : {}) }).shares.map(
        ({ share }) => 100 * share,
      );
    const within = tolerance("simulation");
    expectNear(shares("first choice"), numbers(peer["max_utility_pct"]), within);
    expectNear(shares("Bradley-Terry-Luce"), numbers(peer["btl_pct"]), within);
    // The peer leaves those with a utility below 0 out of the logit too.
    const { individual } = simulateMarket(fit.partWorths, rated, { rule: "Bradley-Terry-Luce" });
    const counted = individual.map((own) => Number(own.some((share) => share > 0)));
    expectNear(shares("share of preference", counted), numbers(peer["logit_pct"]), within);
  });
}

/** Holds the simulator to the shares of products that a case gives for its pooled part-worths. */
export function runShareSimulation(reference: ReferenceCase): void {
  const result = block(reference.content["result"]);
  const shares = numbers(block(result["shares"])["values"]);
  const fitted = block(result["part_worth_price"]);
  if (shares.length === 0 || !fitted["coef"]) return;

  it("simulated shares of six products at the pooled part-worths", () => {
    const { header, rows } = referenceTable(reference.data[0] ?? "");
    const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
    const attributes = [
      categoricalAttribute("seat", ["6", "7", "8"]),
      categoricalAttribute("cargo", ["2ft", "3ft"]),
      categoricalAttribute("eng", ["gas", "hyb", "elec"]),
      categoricalAttribute("price", [30, 35, 40]),
    ];
    const shown = rows.map((row, place) => ({
      name: String(place),
      levels: Object.fromEntries(
        attributes.map(({ attribute }) => [attribute, row[header.indexOf(attribute)] ?? ""]),
      ),
    }));
    const [respondent, question] = [column("resp.id"), column("ques")];
    const fit = fitConditionalLogit(
      {
        set: question.map((ques, row) => `${respondent[row]}/${ques}`),
        chosen: column("choice").map(Number),
      },
      marketOf(attributes, shown).attributes,
    );
    // Rows of the full factorial, the first attribute varying fastest.
    const products = [8, 1, 3, 41, 49, 26].map((row) => {
      let rest = row - 1;
      const levels = attributes.map(({ attribute, levels: own }) => {
        const level = own[rest % own.length]?.level ?? "";
        rest = Math.floor(rest / own.length);
        return [attribute, level];
      });
      return { name: `row ${row}`, levels: Object.fromEntries(levels) as Record<string, string> };
    });
    const partWorths = pooledPartWorths(fit, { random: randomSource(1), draws: 1 });
    const simulated = simulateMarket(partWorths, marketOf(attributes, products));
    for (const [place, share] of shares.entries())
      expect(Math.abs((simulated.shares[place]?.share as number) - share)).toBeLessThanOrEqual(
        toleranceOf(reference.tolerance["shares"]),
      );
  });
}
