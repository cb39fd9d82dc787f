import { expect, it } from "vitest";
import { randomSource } from "../../src/numeric/random.js";
import type { AttributeColumns, ChoiceRows } from "../../src/tradeoff/choice-data.js";
import { choiceProbabilities, fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { willingnessToPay } from "../../src/tradeoff/willingness-to-pay.js";
import { type Block, block, numbers, type ReferenceCase, referenceTable, toleranceOf } from "./case.js";

/** A data file: the names of its columns, and its rows as text. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly string[][];
}

/** Holds logit models to the blocks of one `mnl_` case: numeric covariates by name, or dummies as level names. */
export function runMnlCase(reference: ReferenceCase): void {
  const table = referenceTable(reference.data[0] ?? "");
  const found = Object.entries(block(reference.content["result"])).flatMap(([name, value]) => {
    const model = block(value);
    const peer = ["clogit", "mlogit", "logitr"].map((key) => block(model[key])).find(({ coef }) => coef);
    const own = model["coef"] ? model : undefined;
    return (peer ?? own) ? [{ name, model, peer: (peer ?? own) as Block }] : [];
  });
  const whole = block(block(reference.content["result"])["clogit"]);
  const models = found.filter(({ name }) => !/^(logitr|clogit|mlogit|xlogit.*)$/.test(name));
  if (whole["coef"]) models.push({ name: "model", model: block(reference.content["result"]), peer: whole });
  for (const { name, model, peer } of models) runModel(reference, table, name, model, peer);
}

function runModel(reference: ReferenceCase, table: Table, name: string, model: Block, peer: Block): void {
  const tolerance = (key: string): number => toleranceOf(reference.tolerance[key]);
  const coef = block(peer["coef"]);
  const rows = choicesOf(table, model);
  const attributes = attributesOf(table, Object.keys(coef));
  const fit = fitConditionalLogit(rows, attributes);

  it(`${name}: coefficients, errors and log-likelihood, at the maximum itself`, () => {
    expect(fit.gradientNorm).toBeLessThan(1e-6);
    for (const [covariate, value] of Object.entries(coef)) {
      expect(Math.abs((fit.coefficients[covariate] as number) - Number(value))).toBeLessThanOrEqual(
        tolerance("coef"),
      );
      const error = Number(block(peer["se"])[covariate]);
      expect(Math.abs((fit.standardErrors[covariate] as number) / error - 1)).toBeLessThanOrEqual(
        tolerance("se"),
      );
    }
    expect(Math.abs(fit.logLikelihood - Number(peer["loglik"]))).toBeLessThanOrEqual(tolerance("loglik"));
    const none = Number(peer["loglik_null_equal_shares"] ?? peer["loglik_null"]);
    expect(Math.abs(fit.nullLogLikelihood - none)).toBeLessThanOrEqual(tolerance("loglik"));
  });

  const first = numbers(model["fitted_prob_first_rows"]);
  if (first.length > 0) {
    it(`${name}: fitted probabilities and hit rate`, () => {
      const shares = choiceProbabilities(fit, rows, attributes);
      for (const [row, share] of first.entries())
        expect(Math.abs((shares[row] as number) - share)).toBeLessThan(1e-5);
      expect(hitRate(rows, shares)).toBeCloseTo(Number(model["hit_rate"]), 12);
    });
  }

  if (model["wtp"]) {
    it(`${name}: willingness to pay with errors by the delta method`, () => {
      const { values } = willingnessToPay(fit, { price: "price", random: randomSource(1), draws: 100 });
      for (const { attribute, value, standardError } of values) {
        expect(Math.abs(value / Number(block(model["wtp"])[attribute]) - 1)).toBeLessThanOrEqual(
          tolerance("wtp"),
        );
        const error = Number(block(model["wtp_se_delta"])[attribute]);
        expect(Math.abs(standardError / error - 1)).toBeLessThanOrEqual(tolerance("wtp"));
      }
    });
  }
}

function choicesOf({ header, rows }: Table, model: Block): ChoiceRows {
  const column = (name: string): string[] => rows.map((row) => row[header.indexOf(name)] ?? "");
  const keys = [model["obs_col"]].flat().map((name) => column(String(name)));
  const chosen = column((model["choice_col"] as string | undefined) ?? "choice").map(Number);
  return { set: chosen.map((_, row) => keys.map((key) => key[row]).join("/")), chosen };
}

/** A column of that name, or the dummy of a level: "seat7" is level 7 of column seat. */
export function attributesOf({ header, rows }: Table, names: readonly string[]): AttributeColumns {
  const columnOf = (name: string): number[] => {
    const place = header.indexOf(name);
    if (place !== -1) return rows.map((row) => Number(row[place]));
    const source = header.findIndex((column) => name.startsWith(column));
    const level = name.slice((header[source] ?? "").length);
    return rows.map((row) => Number(row[source] === level));
  };
  return Object.fromEntries(names.map((name) => [name, columnOf(name)]));
}

/** Share of sets whose likeliest alternative was chosen. */
function hitRate({ set, chosen }: ChoiceRows, shares: Float64Array): number {
  const best = new Map<unknown, number>();
  for (let row = 0; row < set.length; row++) {
    const before = best.get(set[row]);
    if (before === undefined || (shares[row] as number) > (shares[before] as number)) best.set(set[row], row);
  }
  const hits = [...best.values()].filter((row) => Number(chosen[row]) === 1).length;
  return hits / best.size;
}
