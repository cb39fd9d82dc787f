import { type ColumnTable, table } from "arquero";
import { DataError } from "../core/errors.js";
import { escapeMarkup } from "../core/markup.js";
import { describe, numberColumn, valueColumn } from "../core/table.js";
import { codeProfiles, type Level, NONE, type Profile, type SurveyAttributes } from "./attributes.js";
import { type ChoiceTask, choiceTasks, type SurveyDesign } from "./design.js";

/**
 * The questionnaire as a plain table, one row an alternative: version, task and alternative (each from 1, none is 0), then the
 * level of each attribute; undefined for an attribute that the product does not have, and for all of none.
 */
export function questionnaireTable(design: SurveyDesign): ColumnTable {
  const { attributes, none } = design.attributes;
  const rows = choiceTasks(design).flatMap(({ version, task, products }) =>
    [...products, ...(none ? [undefined] : [])].map((product, k) => ({
      version,
      task,
      alternative: product ? k + 1 : 0,
      product,
    })),
  );
  return table({
    version: rows.map(({ version }) => version),
    task: rows.map(({ task }) => task),
    alternative: rows.map(({ alternative }) => alternative),
    ...Object.fromEntries(
      attributes.map(({ name }) => [name, rows.map(({ product }) => product?.[name])] as const),
    ),
  });
}

/**
 * The design of a survey that was asked, from its questionnaire as a table: the inverse of `questionnaireTable`. Rows may come
 * in any order; those of none, alternative 0, may be left out; other columns do not matter.
 * @param questionnaire Columns version, task and alternative, numbered from 1 without gaps, and one for each attribute.
 * @throws DataError naming the row: a column that is missing, a number that is none, a level that is not declared or prohibited,
 * a product twice, or one that is missing.
 */
export function designFromQuestionnaire(
  attributes: SurveyAttributes,
  questionnaire: ColumnTable,
): SurveyDesign {
  const version = placeColumn(questionnaire, "version", 1);
  const task = placeColumn(questionnaire, "task", 1);
  const alternative = placeColumn(questionnaire, "alternative", 0);
  const columns = attributes.attributes.map(({ name }) => valueColumn(questionnaire, name, "questionnaire"));
  const profiles = Array.from(alternative, (number, row): Profile | "none" => {
    if (number === 0) return NONE;
    const own = attributes.attributes.map(
      ({ name }, k) => [name, columns[k]?.[row] as Level | null] as const,
    );
    return Object.fromEntries(own.filter((entry): entry is [string, Level] => (entry[1] ?? null) !== null));
  });
  codeProfiles(attributes, profiles); // refuses what no product can be
  const [versions, tasks, alternatives] = [largest(version), largest(task), largest(alternative)];
  const rows = new Map<string, number>();
  for (const [row, number] of alternative.entries()) {
    if (number === 0) continue;
    const product = productName(version[row] as number, task[row] as number, number);
    const earlier = rows.get(product);
    if (earlier !== undefined)
      throw new DataError(`questionnaire: ${product} must come once, got rows ${earlier + 1} and ${row + 1}`);
    rows.set(product, row);
  }
  const levels: number[] = [];
  for (let v = 1; v <= versions; v++)
    for (let t = 1; t <= tasks; t++)
      for (let a = 1; a <= alternatives; a++) {
        const row = rows.get(productName(v, t, a));
        if (row === undefined) throw new DataError(`questionnaire: ${productName(v, t, a)} is missing`);
        levels.push(...levelPlaces(attributes, profiles[row] as Profile, row));
      }
  return Object.freeze({
    method: "questionnaire",
    attributes,
    versions,
    tasks,
    alternatives,
    levels,
    warnings: [],
  });
}

const productName = (version: number, task: number, alternative: number): string =>
  `alternative ${alternative} of task ${task} in version ${version}`;

const largest = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b), 0);

function placeColumn(questionnaire: ColumnTable, name: string, least: number): Float64Array {
  const values = numberColumn(questionnaire, name, "questionnaire", least);
  const row = values.findIndex((value) => !Number.isInteger(value));
  if (row === -1) return values;
  throw new DataError(`questionnaire: ${name} in row ${row + 1} must be a whole number, got ${values[row]}`);
}

/** Position of the level of each attribute, -1 where the product does not have it. */
const levelPlaces = ({ attributes }: SurveyAttributes, profile: Profile, row: number): number[] =>
  attributes.map(({ name, levels }) => {
    const value = profile[name];
    if (value === undefined) return -1;
    const at = levels.findIndex((level) => String(level) === String(value));
    if (at !== -1) return at;
    throw new DataError(
      `questionnaire: ${name} in row ${row + 1} must be one of ${levels.join(", ")}, got ${describe(value)}`,
    );
  });

/** Words of a printed questionnaire. */
export interface QuestionnaireText {
  /** Heading of every page; "Questionnaire" unless given. */
  readonly title?: string;
  /** What respondents read first. */
  readonly introduction?: string;
  /** Asked in every task; "Which of these would you choose?" unless given. */
  readonly question?: string;
  /** Label of choosing none; "None of these" unless given. */
  readonly none?: string;
  /** Word for a task before its number; "Task" unless given. */
  readonly task?: string;
  /** Word for a version before its number; "Version" unless given. */
  readonly version?: string;
  /** How a level is printed, such as "49 EUR a month"; the level itself unless given. */
  readonly label?: (attribute: string, level: string | number) => string;
  /** Language of the page, as in HTML; "en" unless given. */
  readonly language?: string;
}

const style = `body { font: 11pt/1.4 Helvetica, Arial, sans-serif; color: #1F2933; max-width: 18cm; margin: 1cm auto; }
section + section { break-before: page; }
h1 { font-size: 16pt; margin: 0; }
h2 { font-size: 11pt; margin: 0 0 2mm; }
.task { break-inside: avoid; margin-top: 7mm; }
.respondent { margin: 4mm 0; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border: 1px solid #767676; padding: 1.5mm 2mm; text-align: center; overflow-wrap: break-word; }
tbody th { text-align: left; font-weight: normal; }
.choose td { border-top: 2px solid #1F2933; }
input { width: 5mm; height: 5mm; }`;

/**
 * The questionnaire as one HTML page to print or to fill in on a screen: a section for each version, which starts a new sheet,
 * a box to tick for each product. It needs no other file and sends nothing. The same design gives the same page.
 */
export function questionnaireHtml(design: SurveyDesign, text: QuestionnaireText = {}): string {
  const { title = "Questionnaire", introduction, language = "en", version: word = "Version" } = text;
  const tasks = choiceTasks(design);
  const sections = Array.from({ length: design.versions }, (_, place) => {
    const heading = `${title}, ${word.toLowerCase()} ${place + 1}`;
    const own = tasks.filter(({ version }) => version === place + 1);
    return [
      `<section aria-label="${escapeMarkup(heading)}">`,
      `<h1>${escapeMarkup(title)}</h1>`,
      `<p class="respondent">${escapeMarkup(word)} ${place + 1}</p>`,
      ...(introduction === undefined ? [] : [`<p>${escapeMarkup(introduction)}</p>`]),
      ...own.map((task) => taskHtml(design, task, text)),
      "</section>",
    ].join("\n");
  });
  return [
    "<!doctype html>",
    `<html lang="${escapeMarkup(language)}">`,
    `<head><meta charset="utf-8"><title>${escapeMarkup(title)}</title><style>${style}</style></head>`,
    `<body>\n${sections.join("\n")}\n</body>`,
    "</html>\n",
  ].join("\n");
}

function taskHtml(
  design: SurveyDesign,
  { version, task, products }: ChoiceTask,
  text: QuestionnaireText,
): string {
  const {
    question = "Which of these would you choose?",
    none = "None of these",
    task: word = "Task",
    label = (_attribute: string, level: string | number) => String(level),
  } = text;
  const { attributes, none: canChooseNone } = design.attributes;
  const alternatives: readonly (Profile | "none")[] = [
    ...products,
    ...(canChooseNone ? ([NONE] as const) : []),
  ];
  const name = (product: Profile | "none", k: number): string => (product === NONE ? none : String(k + 1));
  const box = (product: Profile | "none", k: number): string =>
    `<td><input type="checkbox" name="v${version}t${task}" value="${product === NONE ? 0 : k + 1}" aria-label="${escapeMarkup(`${word} ${task}: ${name(product, k)}`)}"></td>`;
  const level = (product: Profile, attribute: string): string => {
    const shown = product[attribute];
    return shown === undefined ? "–" : label(attribute, shown);
  };
  const rows = attributes.map(({ name: attribute }, row) => {
    const cells = products.map((product) => `<td>${escapeMarkup(level(product, attribute))}</td>`);
    const blank = canChooseNone && row === 0 ? [`<td rowspan="${attributes.length}"></td>`] : [];
    return `<tr><th scope="row">${escapeMarkup(attribute)}</th>${[...cells, ...blank].join("")}</tr>`;
  });
  return [
    '<div class="task">',
    `<h2>${escapeMarkup(`${word} ${task}. ${question}`)}</h2>`,
    "<table>",
    `<thead><tr><td></td>${alternatives.map((product, k) => `<th scope="col">${escapeMarkup(name(product, k))}</th>`).join("")}</tr></thead>`,
    `<tbody>${rows.join("")}<tr class="choose"><td></td>${alternatives.map(box).join("")}</tr></tbody>`,
    "</table>",
    "</div>",
  ].join("\n");
}
