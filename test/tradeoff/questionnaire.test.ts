import { table } from "arquero";
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import { randomSource } from "../../src/numeric/random.js";
import { defineAttributes } from "../../src/tradeoff/attributes.js";
import { randomDesign } from "../../src/tradeoff/design.js";
import {
  designFromQuestionnaire,
  questionnaireHtml,
  questionnaireTable,
} from "../../src/tradeoff/questionnaire.js";

const attributes = defineAttributes(
  [
    { name: "engine <b>", levels: ["gas & oil", "electric"] },
    { name: "range", levels: [200, 400], only: { attribute: "engine <b>", level: "electric" } },
    { name: "price", levels: [30, 35, 40], as: "linear" },
  ],
  { none: true },
);
const size = { versions: 2, tasks: 3, alternatives: 2 };
const design = randomDesign(attributes, size, { random: randomSource(1) });

describe("questionnaire", () => {
  it("is a table of one row an alternative", () => {
    const table = questionnaireTable(design);
    expect(table.columnNames()).toEqual(["version", "task", "alternative", "engine <b>", "range", "price"]);
    expect(table.numRows()).toBe(2 * 3 * 3);
    const rows = table.objects() as Record<string, unknown>[];
    expect(rows.map(({ alternative }) => alternative).slice(0, 6)).toEqual([1, 2, 0, 1, 2, 0]);
    expect(
      rows.filter(({ alternative }) => alternative === 0).every(({ price }) => price === undefined),
    ).toBe(true);
    for (const row of rows) expect(row["range"] !== undefined).toBe(row["engine <b>"] === "electric");
  });

  it("is a page that stands alone, a section a version, a box an alternative", () => {
    const html = questionnaireHtml(design, {
      title: "Cars",
      introduction: 'Please <i>tick</i> "one".',
      none: "None",
      label: (attribute, level) => (attribute === "price" ? `${level} EUR` : String(level)),
    });
    expect(html).toBe(
      questionnaireHtml(design, {
        title: "Cars",
        introduction: 'Please <i>tick</i> "one".',
        none: "None",
        label: (attribute, level) => (attribute === "price" ? `${level} EUR` : String(level)),
      }),
    );
    expect(html).not.toMatch(/https?:|<script|src=|href=/);
    const { document } = new JSDOM(html).window;
    expect(document.title).toBe("Cars");
    expect(document.querySelectorAll("section")).toHaveLength(2);
    expect(document.querySelectorAll("table")).toHaveLength(6);
    expect(document.querySelectorAll("input[type=checkbox]")).toHaveLength(6 * 3);
    expect(document.querySelector("section p:nth-of-type(2)")?.textContent).toBe('Please <i>tick</i> "one".');
    expect(document.querySelectorAll("i, b")).toHaveLength(0);
    const text = Array.from(document.querySelectorAll("tbody th"), ({ textContent }) => textContent);
    expect(text.slice(0, 3)).toEqual(["engine <b>", "range", "price"]);
    const rows = questionnaireTable(design).objects() as Record<string, unknown>[];
    const cells = Array.from(
      document.querySelectorAll("tbody tr:nth-child(3) td"),
      ({ textContent }) => textContent,
    );
    const prices = rows.flatMap(({ alternative, price }) =>
      alternative === 0 ? [] : [`${price as number} EUR`],
    );
    expect(cells).toEqual(prices);
    for (const row of document.querySelectorAll("thead tr"))
      expect(Array.from(row.children, ({ textContent }) => textContent)).toEqual(["", "1", "2", "None"]);
  });

  it("has no box for none where it cannot be chosen", () => {
    const forced = randomDesign(defineAttributes(attributes.attributes), size, { random: randomSource(1) });
    const { document } = new JSDOM(questionnaireHtml(forced)).window;
    expect(document.querySelectorAll("input[type=checkbox]")).toHaveLength(6 * 2);
    expect(document.querySelector("h2")?.textContent).toBe("Task 1. Which of these would you choose?");
    expect(questionnaireTable(forced).numRows()).toBe(12);
  });
});

describe("designFromQuestionnaire", () => {
  const rows = questionnaireTable(design).objects() as Record<string, unknown>[];
  const read = (all: readonly Record<string, unknown>[]) =>
    designFromQuestionnaire(
      attributes,
      table(
        Object.fromEntries(
          questionnaireTable(design)
            .columnNames()
            .map((name) => [name, all.map((row) => row[name])]),
        ),
      ),
    );

  it("reads the design back, with or without rows of none, in any order, null for what a product does not have", () => {
    const { levels, versions, tasks, alternatives } = design;
    for (const all of [
      rows,
      rows.filter(({ alternative }) => alternative !== 0),
      [...rows].reverse(),
      rows.map((row) => ({ ...row, range: row["range"] ?? null })),
    ])
      expect(read(all)).toMatchObject({ attributes, levels, versions, tasks, alternatives });
    expect(Object.isFrozen(read(rows))).toBe(true);
  });

  it.each([
    [{ task: 1.5 }, "questionnaire: task in row 2 must be a whole number, got 1.5"],
    [{ version: 0 }, "questionnaire: version in row 2 must be a number of at least 1, got 0"],
    [{ version: "a" }, 'questionnaire: version in row 2 must be a number of at least 1, got "a"'],
    [{ price: 33 }, "questionnaire: price in row 2 must be one of 30, 35, 40, got 33"],
    [{ price: 50 }, "price in row 2 must be a number from 30 to 40, got 50"],
    [{ "engine <b>": "steam" }, 'engine <b> in row 2 must be one of gas & oil, electric, got "steam"'],
    [
      { alternative: 1 },
      "questionnaire: alternative 1 of task 1 in version 1 must come once, got rows 1 and 2",
    ],
    [{ task: 4 }, "questionnaire: alternative 2 of task 1 in version 1 is missing"],
  ])("refuses %j", (change, message) => {
    const broken = rows.map((row, k) => (k === 1 ? { ...row, ...change } : row));
    expect(() => read(broken)).toThrow(new DataError(message));
  });

  it("refuses a table without an attribute", () => {
    const less = table({ version: [1], task: [1], alternative: [1], price: [30] });
    expect(() => designFromQuestionnaire(attributes, less)).toThrow(
      new DataError(
        "questionnaire: column engine <b> is missing, the columns are version, task, alternative, price",
      ),
    );
  });
});
