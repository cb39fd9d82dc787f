import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChoiceRows, choiceDesign } from "../../src/tradeoff/choice-data.js";
import { choiceProbabilities, fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { simulatedStudy } from "./worlds.js";

const taste = { mean: { organic: 0.8, large: -0.4, price: -0.6 } };
const study = simulatedStudy(taste, { respondents: 300, seed: 4 });
const fit = fitConditionalLogit(study.rows, study.attributes);

/** Log-likelihood from the probabilities, not from the fit's own sums. */
function logLikelihood(coefficients: Readonly<Record<string, number>>): number {
  const shares = choiceProbabilities({ coefficients }, study.rows, study.attributes);
  return shares.reduce((sum, share, row) => sum + (study.rows.chosen[row] ? Math.log(share) : 0), 0);
}

describe("conditional logit", () => {
  it("recovers the tastes that made the choices, within three standard errors", () => {
    for (const [name, truth] of Object.entries(taste.mean)) {
      const off = ((fit.coefficients[name] as number) - truth) / (fit.standardErrors[name] as number);
      expect(Math.abs(off)).toBeLessThan(3);
    }
    expect(fit.observations).toBe(3000);
    expect(fit.respondents).toBe(300);
  });

  it("has errors that hold what they promise: 90% intervals over 300 studies cover 87% to 93%", () => {
    let covered = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const one = simulatedStudy(taste, { respondents: 40, tasks: 8, seed });
      const { coefficients, standardErrors } = fitConditionalLogit(one.rows, one.attributes);
      for (const [name, truth] of Object.entries(taste.mean)) {
        const off = ((coefficients[name] as number) - truth) / (standardErrors[name] as number);
        if (Math.abs(off) < 1.6448536) covered++;
      }
    }
    expect(covered / 900).toBeGreaterThan(0.87);
    expect(covered / 900).toBeLessThan(0.93);
  });

  it("is at the top: slope and curvature are those of finite differences", () => {
    expect(fit.logLikelihood).toBeCloseTo(logLikelihood(fit.coefficients), 8);
    expect(fit.gradientNorm).toBeLessThan(1e-8);
    const step = 1e-3;
    const at = (h: number): number =>
      logLikelihood({ ...fit.coefficients, price: (fit.coefficients["price"] as number) + h });
    const curvature = (at(step) - 2 * at(0) + at(-step)) / step ** 2;
    const [organic, large] = ["organic", "large"].map((name) => study.attributes[name] as number[]);
    const alone = fitConditionalLogit(study.rows, { organic: organic as number[], large: large as number[] });
    expect(alone.logLikelihood).toBeLessThan(fit.logLikelihood);
    expect(-1 / curvature).toBeLessThan((fit.standardErrors["price"] as number) ** 2);
  });

  it("is the binary logit of differences where sets have two alternatives", () => {
    // 30 of 40 take the cheaper of two: b = log 3 per unit of price, error sqrt(1/30 + 1/10).
    const set = Array.from({ length: 80 }, (_, row) => Math.floor(row / 2));
    const cheap = set.map((_, row) => row % 2);
    const chosen = set.map((s, row) => Number(s < 30 === (cheap[row] === 1)));
    const pair = fitConditionalLogit({ set, chosen }, { cheap });
    expect(pair.coefficients["cheap"]).toBeCloseTo(Math.log(3), 12);
    expect(pair.standardErrors["cheap"]).toBeCloseTo(Math.sqrt(1 / 30 + 1 / 10), 12);
    expect(pair.rootLikelihood).toBeCloseTo(0.75 ** 0.75 * 0.25 ** 0.25, 12);
    expect(pair.mcFaddenR2).toBeCloseTo(1 - pair.logLikelihood / (40 * Math.log(0.5)), 12);
  });

  it("takes weights for repeated sets, and drops what is not available", () => {
    const { set, respondent, chosen } = study.rows;
    const name = Array.from(set, (s, row) => `${respondent[row]}/${s}`);
    const twice = {
      set: [...name, ...name.map((s) => `${s} again`)],
      chosen: [...Array.from(chosen), ...Array.from(chosen)],
    };
    const doubled = fitConditionalLogit(
      twice,
      Object.fromEntries(
        Object.entries(study.attributes).map(([key, column]) => [
          key,
          [...Array.from(column), ...Array.from(column)],
        ]),
      ),
    );
    const weighted = fitConditionalLogit({ ...study.rows, weight: name.map(() => 2) }, study.attributes);
    expect(weighted.coefficients["price"]).toBeCloseTo(doubled.coefficients["price"] as number, 12);
    expect(weighted.standardErrors["price"]).toBeCloseTo(doubled.standardErrors["price"] as number, 12);
    const available = Array.from(chosen, (is, row) => Number(is === 1 || row % 3 !== 0));
    const kept = name.map((_, row) => row).filter((row) => available[row] === 1);
    const of = <T>(column: ArrayLike<T>): T[] => kept.map((row) => column[row] as T);
    const fewer = Object.fromEntries(
      Object.entries(study.attributes).map(([key, column]) => [key, of(column)]),
    );
    const counts = new Map<string, number>();
    for (const s of of(name)) counts.set(s, (counts.get(s) ?? 0) + 1);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(2);
    expect(fitConditionalLogit({ ...study.rows, available }, study.attributes).coefficients).toEqual(
      fitConditionalLogit({ set: of(set), respondent: of(respondent), chosen: of(chosen) }, fewer)
        .coefficients,
    );
  });

  it("does not depend on units or on adding a constant to a set", () => {
    const cents = (study.attributes["price"] as number[]).map(
      (price, row) => 100 * price + 7 * Math.floor(row / 3),
    );
    const other = fitConditionalLogit(study.rows, { ...study.attributes, price: cents });
    expect((other.coefficients["price"] as number) * 100).toBeCloseTo(fit.coefficients["price"] as number, 9);
    expect(other.logLikelihood).toBeCloseTo(fit.logLikelihood, 8);
  });

  it("gives larger errors where the choices of a respondent hang together", () => {
    const mixed = simulatedStudy(
      { ...taste, spread: { organic: 2, large: 1, price: 0.5 } },
      { respondents: 150, seed: 9 },
    );
    const by = (errors: "model" | "set" | "respondent") =>
      fitConditionalLogit(mixed.rows, mixed.attributes, { errors }).standardErrors["organic"] as number;
    expect(by("respondent")).toBeGreaterThan(1.5 * by("model"));
    expect(Math.abs(by("set") / by("model") - 1)).toBeLessThan(0.1);
    const single = { ...study.rows, respondent: Array.from(study.rows.set, (_, row) => Math.floor(row / 3)) };
    const [own, sets] = (["respondent", "set"] as const).map((errors) =>
      fitConditionalLogit(single, study.attributes, { errors }),
    );
    expect(own?.covariance).toEqual(sets?.covariance);
  });

  it("shrinks under a penalty, which also mends separation", () => {
    const chosen = [1, 0, 1, 0, 0, 1];
    const rows: ChoiceRows = { set: [1, 1, 2, 2, 3, 3], chosen };
    const best = [1, 0, 1, 0, 0, 1];
    expect(() => fitConditionalLogit(rows, { best })).toThrow(
      "conditional logit: the coefficient of best has no finite maximum",
    );
    const penalised = fitConditionalLogit(rows, { best }, { penalty: 0.1 });
    expect(penalised.coefficients["best"]).toBeGreaterThan(0);
    expect(penalised.gradientNorm).toBeLessThan(1e-8);
  });
});

describe("choice probabilities", () => {
  it("add up to 1 in every set and keep ratios when an alternative is added (independence of irrelevant alternatives)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -300, max: 300, noNaN: true }), { minLength: 3, maxLength: 6 }),
        (x) => {
          const set = x.map(() => 1);
          const all = choiceProbabilities({ coefficients: { x: 1 } }, { set }, { x });
          expect(all.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
          const [a, b] = [x[0] as number, x[1] as number];
          const two = choiceProbabilities({ coefficients: { x: 1 } }, { set: [1, 1] }, { x: [a, b] });
          if ((all[1] as number) > 1e-200 && (two[1] as number) > 1e-200)
            expect(Math.log((all[0] as number) / (all[1] as number))).toBeCloseTo(a - b, 6);
        },
      ),
    );
  });

  it("are 0 for what is not available, and need no choices", () => {
    const shares = choiceProbabilities(
      { coefficients: { x: 0 } },
      { set: [1, 1, 1], available: [1, 0, 1] },
      { x: [1, 2, 3] },
    );
    expect(Array.from(shares)).toEqual([0.5, 0, 0.5]);
  });

  it("name a covariate that is missing", () => {
    expect(() => choiceProbabilities({ coefficients: { x: 1 } }, { set: [1, 1] }, { y: [1, 2] })).toThrow(
      "attributes must contain x, got y",
    );
  });
});

describe("choices that cannot be used", () => {
  const rows = { set: [1, 1, 2, 2], chosen: [1, 0, 0, 1] };
  const x = [1, 2, 3, 4];
  it.each<[string, ChoiceRows, Record<string, number[]>, string]>([
    ["no rows", { set: [], chosen: [] }, {}, "choices must have at least one row, got none"],
    ["a short column", rows, { x: [1] }, "x must have one value for each of the 4 rows, got 1"],
    ["text", rows, { x: [1, 2, 3, "4" as unknown as number] }, 'x in row 4 must be a finite number, got "4"'],
    [
      "none chosen",
      { ...rows, chosen: [1, 0, 0, 0] },
      { x },
      "chosen must be 1 once in set 2, got it nowhere from row 3 on: leave the set out, or add choosing none as an alternative",
    ],
    [
      "two chosen",
      { ...rows, chosen: [1, 1, 0, 1] },
      { x },
      "chosen must be 1 once in set 1, got it in rows 1 and 2",
    ],
    ["a choice of 2", { ...rows, chosen: [1, 0, 0, 2] }, { x }, "chosen in row 4 must be 0 or 1, got 2"],
    [
      "a torn set",
      { set: [1, 2, 2, 1], chosen: [1, 1, 0, 0] },
      { x },
      "set 1 must have at least two alternatives to choose from, got one in row 1",
    ],
    [
      "a set twice",
      { set: [1, 1, 2, 2, 1, 1], chosen: [1, 0, 1, 0, 1, 0] },
      { x: [...x, 5, 6] },
      "rows of set 1 must stand together, but it comes again in row 5",
    ],
    [
      "a set twice of a respondent",
      { set: [1, 1, 2, 2, 1, 1], chosen: [1, 0, 1, 0, 1, 0], respondent: ["a", "a", "a", "a", "a", "a"] },
      { x: [...x, 5, 6] },
      'rows of set 1 of respondent "a" must stand together, but it comes again in row 5',
    ],
    [
      "not available",
      { ...rows, available: [0, 1, 1, 1] },
      { x },
      "chosen in row 1 must be 0, for the alternative was not available, got 1",
    ],
    [
      "weights",
      { ...rows, weight: [1, 1, 2, 3] },
      { x },
      "weight in row 4 must be 2 as in the rest of its set, got 3",
    ],
    [
      "a weight of 0",
      { ...rows, weight: [0, 0, 1, 1] },
      { x },
      "weight in row 1 must be a number above 0, got 0",
    ],
    ["a respondent twice", { ...rows, respondent: ["a", "a", "b", "b"], set: [1, 1, 1, 1] }, { x }, ""],
    [
      "nothing that varies",
      rows,
      { x: [1, 1, 2, 2] },
      "conditional logit: covariate x must vary within choice sets, but does not: leave it out",
    ],
    [
      "collinear",
      rows,
      { x, y: x.map((value) => 2 * value + 1) },
      "conditional logit: covariate y must not be a linear combination of x",
    ],
    ["no covariate", rows, {}, "attributes must have at least one column, got none"],
  ])("%s", (_name, choices, attributes, message) => {
    if (message === "") expect(choiceDesign(choices, attributes).respondents).toEqual(["a", "b"]);
    else expect(() => fitConditionalLogit(choices, attributes)).toThrow(message);
  });

  it("errors by respondent without respondents or by something unknown, and a negative penalty", () => {
    expect(() => fitConditionalLogit(rows, { x }, { errors: "cluster" as "set" })).toThrow(
      "errors must be one of model, set, respondent, got cluster",
    );
    expect(() => fitConditionalLogit(rows, { x }, { errors: "respondent" })).toThrow(
      "need the column respondent",
    );
    expect(() => fitConditionalLogit(rows, { x }, { penalty: -1 })).toThrow(
      "penalty must be a number from 0 up, got -1",
    );
  });
});
