import { type ColumnTable, table } from "arquero";
import { escapeMarkup } from "../core/markup.js";
import { NONE, type Profile } from "./attributes.js";
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
