import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { type Random, randomSource } from "../../src/numeric/random.js";
import { drawInteger, drawNormal, drawWeighted } from "../../src/numeric/sampling.js";
import { codeProfiles, defineAttributes } from "../../src/tradeoff/attributes.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { choiceTasks, randomDesign, withRepeatedTask } from "../../src/tradeoff/design.js";
import {
  checkFieldwork,
  choicesFromAnswers,
  keepRespondents,
  oddRespondentsTable,
  type SurveyAnswers,
} from "../../src/tradeoff/fieldwork.js";

const attributes = defineAttributes(
  [
    { name: "quality", levels: ["low", "high"] },
    { name: "price", levels: [10, 20, 30], as: "linear" },
    { name: "colour", levels: ["red", "blue"] },
  ],
  { none: true },
);
const coefficients: Record<string, number> = {
  "quality high": 1.2,
  price: -0.1,
  "colour blue": 0.3,
  none: -2,
};
const preference = { quality: "rising", price: "falling" } as const;
const design = withRepeatedTask(
  randomDesign(
    attributes,
    { versions: 2, tasks: 9, alternatives: 3 },
    { random: randomSource(1), overlap: "any" },
  ),
  2,
);
const tasks = choiceTasks(design);

type Answer = { respondent: number; version: number; task: number; choice: number; seconds: number };
const columns = (rows: readonly Answer[]): SurveyAnswers => ({
  respondent: rows.map(({ respondent }) => respondent),
  version: rows.map(({ version }) => version),
  task: rows.map(({ task }) => task),
  choice: rows.map(({ choice }) => choice),
  seconds: rows.map(({ seconds }) => seconds),
});

/** Respondents who choose by the coefficients, from the number `first` on. */
function careful(respondents: number, random: Random, first = 1): Answer[] {
  return Array.from({ length: respondents }, (_, k) => k + first).flatMap((respondent) => {
    const pace = 12 * Math.exp(0.25 * drawNormal(random));
    const version = (respondent % 2) + 1;
    return tasks
      .filter((task) => task.version === version)
      .map(({ task, products }) => {
        const coded = codeProfiles(attributes, [...products, "none"]);
        const utilities = [...products, "none"].map((_unused, row) =>
          Object.entries(coded).reduce(
            (sum, [name, column]) => sum + (coefficients[name] as number) * (column[row] as number),
            0,
          ),
        );
        const chosen = drawWeighted(random, utilities.map(Math.exp));
        return { respondent, version, task, choice: chosen === 3 ? 0 : chosen + 1, seconds: pace };
      });
  });
}

const own = (answers: readonly Answer[], respondent: number): Answer[] =>
  answers.filter((answer) => answer.respondent === respondent);

describe("fieldwork", () => {
  it("names every respondent who answers without care, with evidence", () => {
    const random = randomSource(2);
    const fine = careful(60, random);
    const [fast, straight, never, lazy] = [101, 102, 103, 104].map((label) =>
      own(careful(1, random, label), label),
    ) as [Answer[], Answer[], Answer[], Answer[]];
    const answers = columns([
      ...fine,
      ...fast.map((answer) => ({ ...answer, seconds: 1.5 })),
      ...straight.map((answer) => ({ ...answer, choice: 2 })),
      ...never.map((answer) => ({ ...answer, choice: 0 })),
      ...lazy.filter(({ task }) => task !== 3 && task !== 7),
    ]);
    const check = checkFieldwork(design, answers, { preference });
    const found = (respondent: number, reason: string) =>
      check.odd.find((row) => row.respondent === respondent && row.reason === reason);
    expect(found(101, "speeder")?.evidence).toMatch(/^1\.5 s a task, 0\.1\d of the median 1\d\.\d s$/);
    expect(found(101, "speeder")?.p).toBeLessThan(1e-6);
    expect(found(102, "straight-liner")?.evidence).toBe("position 2 in all 10 tasks");
    expect(found(102, "straight-liner")?.p).toBeLessThan(1e-3);
    expect(found(103, "always none")?.evidence).toBe("none in all 10 tasks");
    expect(found(104, "missing tasks")).toEqual({
      respondent: 104,
      reason: "missing tasks",
      evidence: "no answer to tasks 3, 7",
      // At the sample's rate of 2 in 640: 1 - (1 - q)^10 - 10 q (1 - q)^9.
      p: expect.closeTo(1 - (1 - 2 / 640) ** 10 - 10 * (2 / 640) * (1 - 2 / 640) ** 9, 12) as number,
    });
    expect(check.respondents).toBe(64);
    expect(check.counts.speeder).toBe(1);
    expect(check.counts["straight-liner"]).toBe(1);
    expect(check.counts["always none"]).toBe(1);
    expect(check.counts["missing tasks"]).toBe(1);
    expect(check.unchecked).toEqual([]);
    expect(check.odd.map(({ respondent }) => respondent)).toEqual(
      [...check.odd].map(({ respondent }) => respondent as number).sort((a, b) => a - b),
    );
    const table = oddRespondentsTable(check);
    expect(table.columnNames()).toEqual(["respondent", "reason", "evidence", "p"]);
    expect(table.numRows()).toBe(check.odd.length);
    const kept = keepRespondents(answers, check, { reasons: ["speeder", "straight-liner"] });
    expect(new Set(Array.from(kept.respondent)).size).toBe(62);
    expect(checkFieldwork(design, kept).counts).toMatchObject({
      speeder: 0,
      "straight-liner": 0,
      "always none": 1,
    });
  });

  it("counts dominated choices and contradictions by hand", () => {
    const first = tasks.filter(({ version }) => version === 1);
    const dominated = (task: (typeof tasks)[number], place: number): boolean =>
      task.products.some((other) => {
        const [a, b] = [other, task.products[place]];
        if (!b || a["colour"] !== b["colour"]) return false;
        const [better, cheaper] = [
          Number(a["quality"] === "high") - Number(b["quality"] === "high"),
          Number(b["price"]) - Number(a["price"]),
        ];
        return better >= 0 && cheaper >= 0 && better + cheaper > 0;
      });
    const withDominated = first.filter((task) => [0, 1, 2].some((place) => dominated(task, place)));
    expect(withDominated.length).toBeGreaterThan(2);
    const answer = (respondent: number, choose: (task: (typeof tasks)[number]) => number): Answer[] =>
      first.map((task) => ({
        respondent,
        version: 1,
        task: task.task,
        choice: choose(task) + 1,
        seconds: 9,
      }));
    const worst = answer(1, (task) =>
      Math.max(
        0,
        [0, 1, 2].findIndex((place) => dominated(task, place)),
      ),
    );
    const best = answer(2, (task) => [0, 1, 2].findIndex((place) => !dominated(task, place)));
    // The last task is the second one reversed: position 1 then is position 3.
    const consistent = best.map((row) =>
      row.task === 10 ? { ...row, choice: 4 - (best[1]?.choice as number) } : row,
    );
    const check = checkFieldwork(design, columns([...worst, ...consistent]), { preference });
    const rows = check.odd.filter(({ reason }) => reason === "dominated choices");
    expect(rows).toHaveLength(1);
    expect(rows[0]?.evidence).toBe(
      `a dominated product in ${withDominated.length} of ${withDominated.length} tasks that have one`,
    );
    expect(rows[0]?.p).toBeCloseTo(0.5 ** withDominated.length, 12); // the sample's rate is one half
    const turned = consistent.map((row) =>
      row.task === 10 ? { ...row, respondent: 3, choice: 0 } : { ...row, respondent: 3 },
    );
    const contradictions = checkFieldwork(design, columns([...consistent, ...turned])).odd;
    expect(contradictions).toEqual([
      {
        respondent: 3,
        reason: "contradiction",
        evidence: "another product when asked again: tasks 2 and 10",
        p: expect.closeTo(0.5, 12) as number, // the sample's rate
      },
    ]);
  });

  it("gives chance its p: straight-liners who click at random", () => {
    const random = randomSource(3);
    const few = withRepeatedTask(
      randomDesign(attributes, { versions: 1, tasks: 3, alternatives: 2 }, { random }),
      1,
    );
    const people = 4000;
    const answers = columns(
      Array.from({ length: people }, (_, respondent) =>
        [1, 2, 3, 4].map((task) => ({
          respondent,
          version: 1,
          task,
          choice: drawInteger(random, 1, 2),
          seconds: 1,
        })),
      ).flat(),
    );
    const { odd, counts } = checkFieldwork(few, answers);
    const p = odd.find(({ reason }) => reason === "straight-liner")?.p as number;
    expect(p).toBeCloseTo(1 / 8, 3);
    expect(Math.abs(counts["straight-liner"] / people - p)).toBeLessThan(
      4 * Math.sqrt((p * (1 - p)) / people),
    );
    expect(counts.speeder).toBe(0);
  });

  it("says what it could not check, and gives half a sample of equal times a p", () => {
    const answers = careful(8, randomSource(4)).map((row) => ({
      ...row,
      seconds: row.respondent === 8 ? 1 : 10,
    }));
    const { odd, unchecked, medianSeconds } = checkFieldwork(design, columns(answers));
    expect(odd.find(({ reason }) => reason === "speeder")).toMatchObject({ respondent: 8, p: 0 });
    expect(medianSeconds).toBe(100);
    expect(unchecked).toEqual(["dominated choices: no preference is given"]);
    const { seconds: unused, ...timeless } = columns(answers);
    expect(checkFieldwork({ ...design, tasks: 10 }, timeless).unchecked).toEqual([
      "speeders: no seconds are given",
      "dominated choices: no preference is given",
    ]);
  });

  it("hands over choices from which the model recovers the coefficients", () => {
    const answers = columns(careful(400, randomSource(5)));
    const { rows, attributes: coded } = choicesFromAnswers(design, answers, { without: [10] });
    const fit = fitConditionalLogit(rows, coded);
    expect(fit.observations).toBe(3600); // nine of ten tasks
    for (const [name, value] of Object.entries(coefficients))
      expect(Math.abs((fit.coefficients[name] as number) - value)).toBeLessThan(
        3.5 * (fit.standardErrors[name] as number),
      );
  });

  const one = { respondent: 1, version: 1, task: 1, choice: 1, seconds: 5 };
  it.each<[string, Answer[]]>([
    ["answers must have at least one row, got none", []],
    [
      "version in row 2 must be a whole number from 1 to 2, got 3",
      [one, { ...one, respondent: 2, version: 3 }],
    ],
    ["task in row 1 must be a whole number from 1 to 10, got 11", [{ ...one, task: 11 }]],
    ["choice in row 1 must be a whole number from 0 to 3, got 4", [{ ...one, choice: 4 }]],
    ["seconds in row 1 must be a number above 0, got 0", [{ ...one, seconds: 0 }]],
    ["version in row 2 must be 1 as before for respondent 1, got 2", [one, { ...one, version: 2, task: 2 }]],
    ["respondent 1 must answer task 1 once, got rows 1 and 2", [one, { ...one, choice: 2 }]],
  ])("refuses: %s", (message, rows) => {
    expect(() => checkFieldwork(design, columns(rows))).toThrow(new DataError(message));
  });

  it("refuses options out of range, and to leave out everybody", () => {
    const answers = columns(tasks.slice(0, 10).map(({ task }) => ({ ...one, task, choice: 1 })));
    expect(() => checkFieldwork(design, answers, { speederShare: 40 })).toThrow(
      new RangeError(
        "speederShare must be a fraction from 0 to 1, got 40; a percentage must be divided by 100",
      ),
    );
    const check = checkFieldwork(design, answers);
    expect(() => keepRespondents(answers, check, { reasons: ["straight-liner"] })).toThrow(
      new DataError("somebody must be left, but all respondents are odd for straight-liner"),
    );
    expect(() => checkFieldwork(design, { ...answers, choice: [1] })).toThrow(
      new DataError("choice must have one value for each of the 10 rows, got 1"),
    );
  });
});
