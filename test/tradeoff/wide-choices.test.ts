import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { drawInteger } from "../../src/numeric/sampling.js";
import { defineAttributes, type Level } from "../../src/tradeoff/attributes.js";
import { fitConditionalLogit } from "../../src/tradeoff/conditional-logit.js";
import { choiceTasks, randomDesign } from "../../src/tradeoff/design.js";
import { choicesFromAnswers } from "../../src/tradeoff/fieldwork.js";
import { choicesFromWide } from "../../src/tradeoff/wide-choices.js";

const survey = defineAttributes(
  [
    { name: "line", levels: ["cable", "fibre"] },
    { name: "speed", levels: ["100 Mbit", "250 Mbit", "1000 Mbit"] },
    { name: "price", levels: [19.9, 29.9, 39.9], as: "linear" },
    { name: "fitting", levels: ["self", "engineer"], only: { attribute: "line", level: "fibre" } },
  ],
  { none: true, prohibitions: [{ line: "cable", speed: "1000 Mbit" }] },
);
const column = (alternative: Level, attribute: string): string => `alt${alternative}_${attribute}`;
const options = { respondent: "id", set: "screen", choice: "answer", alternatives: [1, 2], column };

type Row = Record<string, string | number | null>;
const screens: readonly Row[] = [
  {
    id: "b",
    screen: 1,
    answer: 2,
    alt1_line: "cable",
    alt1_speed: "100 Mbit",
    alt1_price: 19.9,
    alt1_fitting: null,
    alt2_line: "fibre",
    alt2_speed: "1000 Mbit",
    alt2_price: 39.9,
    alt2_fitting: "engineer",
  },
  {
    id: "a",
    screen: 1,
    answer: 0,
    alt1_line: "fibre",
    alt1_speed: "250 Mbit",
    alt1_price: 29.9,
    alt1_fitting: "self",
    alt2_line: "",
    alt2_speed: null,
    alt2_price: null,
    alt2_fitting: null,
  },
  {
    id: "b",
    screen: 2,
    answer: 1,
    alt1_line: "cable",
    alt1_speed: "250 Mbit",
    alt1_price: 35,
    alt1_fitting: "",
    alt2_line: "cable",
    alt2_speed: "100 Mbit",
    alt2_price: 29.9,
    alt2_fitting: null,
  },
];
const tableOf = (rows: readonly Row[]) =>
  table(Object.fromEntries(Object.keys(rows[0] as Row).map((name) => [name, rows.map((row) => row[name])])));
/** The table with other values in one row, from 0. */
const changed = (row: number, values: Row) =>
  tableOf(screens.map((own, k) => (k === row ? { ...own, ...values } : own)));

describe("choicesFromWide", () => {
  it("makes a row of each alternative shown, respondent after respondent, none last", () => {
    const { rows, attributes } = choicesFromWide(survey, tableOf(screens), options);
    expect(rows).toEqual({
      respondent: ["b", "b", "b", "b", "b", "b", "a", "a"],
      set: [1, 1, 1, 2, 2, 2, 1, 1],
      chosen: [0, 1, 0, 1, 0, 0, 0, 1],
    });
    expect(
      Object.fromEntries(Object.entries(attributes).map(([name, own]) => [name, Array.from(own)])),
    ).toEqual({
      "line fibre": [0, 1, 0, 0, 0, 0, 1, 0],
      "speed 250 Mbit": [0, 0, 0, 1, 0, 0, 1, 0],
      "speed 1000 Mbit": [0, 1, 0, 0, 0, 0, 0, 0],
      price: [19.9, 39.9, 0, 35, 29.9, 0, 29.9, 0],
      "fitting engineer": [0, 1, 0, 0, 0, 0, 0, 0],
      none: [0, 0, 1, 0, 0, 1, 0, 1],
    });
  });

  it("gives the same choices as the answers to the design they come from", () => {
    const random = randomSource(4);
    const design = randomDesign(
      survey,
      { versions: 2, tasks: 6, alternatives: 3 },
      { random, overlap: "any" },
    );
    const tasks = choiceTasks(design);
    const asked = Array.from({ length: 20 }, (_, k) =>
      tasks.filter(({ version }) => version === (k % 2) + 1),
    ).flatMap((own, respondent) =>
      own.map((task) => ({ ...task, respondent, choice: drawInteger(random, 0, 3) })),
    );
    const answers = choicesFromAnswers(design, {
      respondent: asked.map(({ respondent }) => respondent),
      version: asked.map(({ version }) => version),
      task: asked.map(({ task }) => task),
      choice: asked.map(({ choice }) => choice),
    });
    const wide = tableOf(
      asked.map(({ respondent, task, choice, products }) => ({
        id: respondent,
        screen: task,
        answer: ["no thanks", "left", "middle", "right"][choice] as string,
        ...Object.fromEntries(
          ["left", "middle", "right"].flatMap((place, k) =>
            survey.attributes.map(({ name }) => [`${name}.${place}`, products[k]?.[name] ?? null]),
          ),
        ),
      })),
    );
    const choices = choicesFromWide(survey, wide, {
      ...options,
      alternatives: ["left", "middle", "right"],
      none: "no thanks",
      column: (place, name) => `${name}.${place}`,
    });
    expect(choices).toEqual(answers);
    expect(fitConditionalLogit(choices.rows, choices.attributes).observations).toBe(120);
  });

  it("numbers the sets of a respondent and repeats weights if asked to", () => {
    const weighted = tableOf(screens.map((row, k) => ({ ...row, weight: k + 0.5 })));
    const { set: _, ...unnamed } = options;
    const { rows } = choicesFromWide(survey, weighted, { ...unnamed, weight: "weight" });
    expect(rows.set).toEqual([1, 1, 1, 2, 2, 2, 1, 1]);
    expect(rows.weight).toEqual([0.5, 0.5, 0.5, 2.5, 2.5, 2.5, 1.5, 1.5]);
  });

  it.each<[string, number, Row, string]>([
    [
      "a price as text",
      0,
      { alt1_price: "29,90 €" },
      'price in row 1, alternative 1, must be a number from 19.9 to 39.9, got "29,90 €"',
    ],
    [
      "an unknown level",
      2,
      { alt2_speed: "fast" },
      'speed in row 3, alternative 2, must be one of 100 Mbit, 250 Mbit, 1000 Mbit, got "fast"',
    ],
    [
      "a level that is missing",
      1,
      { alt1_speed: null },
      "speed in row 2, alternative 1, must be one of 100 Mbit, 250 Mbit, 1000 Mbit, got undefined",
    ],
    [
      "an attribute that the product does not have",
      2,
      { alt1_fitting: "self" },
      'fitting in row 3, alternative 1, must be left out, for only line fibre has it, got "self"',
    ],
    [
      "a prohibited pair",
      2,
      { alt1_speed: "1000 Mbit" },
      "row 3, alternative 1, must not have line cable with speed 1000 Mbit: they are prohibited together",
    ],
    [
      "a choice of nothing shown",
      1,
      { answer: 2 },
      "answer in row 2 must be one of the alternatives shown, 1, 0, got 2",
    ],
    [
      "no choice",
      2,
      { answer: null },
      "answer in row 3 must be one of the alternatives shown, 1, 2, 0, got null",
    ],
    ["a set twice", 2, { screen: 1 }, 'respondent "b" must have set 1 once, got rows 1 and 3'],
    ["nobody", 1, { id: "" }, 'id in row 2 must be a label, got ""'],
  ])("refuses %s", (_, row, values, message) => {
    expect(() => choicesFromWide(survey, changed(row, values), options)).toThrow(new DataError(message));
  });

  it("refuses columns that are missing and alternatives of one name", () => {
    expect(() => choicesFromWide(survey, tableOf(screens), { ...options, alternatives: [1, 3] })).toThrow(
      "table: column alt3_line is missing",
    );
    expect(() =>
      choicesFromWide(survey, tableOf(screens), { ...options, alternatives: [1, 2, "1"] }),
    ).toThrow(new RangeError("alternatives and none must have different names, got 1 twice"));
  });
});
