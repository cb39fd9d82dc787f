/**
 * A notebook as one HTML file that works anywhere, without network and without this package.
 * @module
 */
import { readFile } from "node:fs/promises";
import { escapeMarkup } from "../../core/markup.js";
import { type Cell, type CodeCell, type Notebook, tagsOf } from "../notebook/format.js";
import { highlighted } from "./code.js";
import { createMarkdownRenderer, type Heading } from "./markdown.js";
import { type OutputTools, outputsHtml } from "./outputs.js";
import { page } from "./page.js";
import { plotlyPath } from "./plotly-window.js";
import { createSanitiser } from "./sanitise.js";
import { createFigureRenderer, type FigureRenderer } from "./static-svg.js";
import { type StudyFacts, studiesOf } from "./study-facts.js";

/** How to write the page. */
export interface HtmlOptions {
  /** Default: the notebook's first heading. */
  readonly title?: string;
  /** `interactive` brings Plotly along (4.8 MB, works offline); `static` has pictures and no script at all. */
  readonly figures: "interactive" | "static";
  /** `folded` under a small switch, left out, or open. Solutions are always folded. */
  readonly code: "folded" | "hidden" | "shown";
  /** Facts of the run that stand below those of the study: `{ commit: "7972917", node: "20.20.2" }`. */
  readonly provenance?: Readonly<Record<string, string>>;
  /** Draws figures that the notebook holds no picture of. Default: one is opened when needed and closed at the end. */
  readonly renderer?: FigureRenderer;
}

/**
 * The notebook as a self-contained HTML page: no request to anywhere, the same bytes for the same notebook and
 * options. Whatever the notebook brings in HTML, SVG and Markdown is sanitised. A figure that cannot be drawn leaves
 * its reason in its place.
 * @throws Error if the plotly.js file cannot be read (interactive figures only).
 */
export async function exportHtml(notebook: Notebook, options: HtmlOptions): Promise<string> {
  const sanitiser = createSanitiser();
  const renderer = options.renderer ?? (await createFigureRenderer());
  try {
    let figures = 0;
    const markdown = createMarkdownRenderer(sanitiser);
    const nextFigure = (): number => ++figures;
    const tools = { sanitiser, markdown, renderer, figures: options.figures, nextFigure };
    const headings: Heading[] = [];
    const cells: string[] = [];
    for (const cell of joinedCode(notebook.cells))
      cells.push(await cellHtml(cell, tools, options.code, headings));
    const title = options.title ?? headings[0]?.text ?? "Notebook";
    const heading = headings.some(({ depth }) => depth === 1) ? "" : `<h1>${escapeMarkup(title)}</h1>`;
    const provenance = provenanceHtml(studiesOf(notebook), options.provenance ?? {});
    const interactive = options.figures === "interactive" && figures > 0;
    return page({
      title,
      body: bodyHtml(contentsHtml(headings, provenance !== ""), [heading, ...cells, provenance]),
      scripts: interactive ? [await readFile(plotlyPath(), "utf8"), drawFigures] : [],
    });
  } finally {
    sanitiser.close();
    if (options.renderer === undefined) renderer.close();
  }
}

/** Draws each figure when the reader comes near it, in the place of its picture. */
const drawFigures = `
"use strict";
const settings = { responsive: true, displaylogo: false, showSendToCloud: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
const draw = (figure) => {
  const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
  const frame = figure.querySelector(".plot");
  const plot = frame.appendChild(document.createElement("div"));
  frame.hidden = false;
  Plotly.newPlot(plot, data, layout, settings).then(
    () => { figure.querySelector(".picture").style.display = "none"; },
    () => { frame.hidden = true; },
  );
};
const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    draw(target);
  }
}, { rootMargin: "600px" });
// On a phone the picture serves better: it shows all of the figure, and a finger on it scrolls the page.
if (matchMedia("(min-width: 36rem)").matches) {
  for (const figure of document.querySelectorAll("figure.interactive")) watcher.observe(figure);
}
`;

function bodyHtml(contents: string, main: readonly string[]): string {
  return `<a class="skip" href="#main">Skip to the text</a>
<div class="layout${contents === "" ? " alone" : ""}">
${contents}
<main id="main">
${main.filter((part) => part !== "").join("\n")}
</main>
</div>`;
}

/** The table of contents: chapters and their parts. Nothing if there are fewer than two. */
function contentsHtml(headings: readonly Heading[], hasProvenance: boolean): string {
  const listed = headings.filter(({ depth }) => depth === 2 || depth === 3);
  if (listed.length < 2) return "";
  const entries = hasProvenance ? [...listed, { depth: 2, text: "Provenance", id: "provenance" }] : listed;
  const items = entries.map(
    ({ depth, text, id }) =>
      `<li${depth === 3 ? ' class="deeper"' : ""}><a href="#${escapeMarkup(id)}">${escapeMarkup(text)}</a></li>`,
  );
  const list = `<ol>\n${items.join("\n")}\n</ol>`;
  // On a narrow screen the list stands before the text, folded; beside it there is room for all of it.
  return `<nav class="contents" aria-label="Contents">
<details><summary>Contents</summary>
${list}
</details>
<div class="beside"><p>Contents</p>
${list}
</div>
</nav>`;
}

async function cellHtml(
  cell: Cell,
  tools: OutputTools,
  code: HtmlOptions["code"],
  headings: Heading[],
): Promise<string> {
  const tags = tagsOf(cell);
  if (cell.cell_type === "raw") return ""; // meant for other converters
  let content: string;
  if (cell.cell_type === "code") {
    const outputs = await outputsHtml(cell, tools);
    content = joined([codeHtml(cell, tags.includes("solution") ? "shown" : code), withoutAnswer(outputs)]);
  } else {
    const text = tools.markdown(cell.source, cell.attachments);
    if (!tags.includes("solution")) headings.push(...text.headings);
    content = text.html;
  }
  if (content === "") return "";
  if (tags.includes("solution"))
    return `<details class="solution"><summary>Show solution</summary>\n${content}\n</details>`;
  const task = tags.includes("exercise") ? "Exercise" : tags.includes("check") ? "Check" : undefined;
  if (task === undefined) return `<div class="cell">${content}</div>`;
  return `<div class="cell task" role="group" aria-label="${task}"><p class="badge" aria-hidden="true">${task}</p>\n${content}</div>`;
}

/** Code cells that show nothing join the code cell after them: one switch for what belongs to one result. */
function joinedCode(cells: readonly Cell[]): readonly Cell[] {
  const list: Cell[] = [];
  for (const cell of cells) {
    const last = list.at(-1);
    const joins = last && isPlainCode(last) && isPlainCode(cell) && last.outputs.length === 0;
    if (joins) list[list.length - 1] = { ...cell, source: `${last.source}\n\n${cell.source}` };
    else list.push(cell);
  }
  return list;
}

const isPlainCode = (cell: Cell): cell is CodeCell =>
  cell.cell_type === "code" && !tagsOf(cell).some((tag) => ["exercise", "solution", "check"].includes(tag));

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== "").join("\n");

/** What a check says of the right answer gives the answer away: it stays folded until the reader asks. */
function withoutAnswer(outputs: string): string {
  if (!outputs.includes('class="outcome right"')) return outputs;
  return `<details class="solution"><summary>Show the check</summary>\n${outputs}\n</details>`;
}

function codeHtml({ source }: CodeCell, code: HtmlOptions["code"]): string {
  if (code === "hidden" || source.trim() === "") return "";
  const open = code === "shown" ? " open" : "";
  return `<details class="code"${open}><summary>code</summary><pre tabindex="0"><code class="hljs">${highlighted(source)}</code></pre></details>`;
}

/** What the page rests on: the studies' own facts, then those of the run. Nothing if nobody stated any. */
function provenanceHtml(studies: readonly StudyFacts[], run: Readonly<Record<string, string>>): string {
  const rows = [
    ...studies.flatMap(studyRows),
    ...Object.entries(run).map(([name, value]) => row(name, [value])),
  ];
  if (rows.length === 0) return "";
  return `<section aria-labelledby="provenance"><h2 id="provenance">Provenance</h2>
<p class="aside">The same data, seed, parameters and versions give the same results.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Provenance"><table class="facts"><tbody>
${rows.join("\n")}
</tbody></table></div></section>`;
}

function studyRows({ title, data, seed, parameters, versions }: StudyFacts): readonly string[] {
  const list = (facts: Readonly<Record<string, string>>, between: string): readonly string[] =>
    Object.entries(facts).map(([name, value]) => `${name}${between}${value}`);
  const files = data.map(({ path, sha256, bytes }) => {
    const size = bytes === undefined ? "" : `, ${bytes.toLocaleString("en-US")} bytes`;
    return `${escapeMarkup(path)}${size}<br><code>sha256 ${escapeMarkup(sha256)}</code>`;
  });
  return [
    row("Study", [title]),
    `<tr><th scope="row">Data</th><td>${files.join("<br>") || "none"}</td></tr>`,
    row("Seed", [seed]),
    row("Parameters", list(parameters, " = ")),
    row("Versions", list(versions, " ")),
  ];
}

const row = (name: string, values: readonly string[]): string =>
  `<tr><th scope="row">${escapeMarkup(name)}</th><td>${values.map(escapeMarkup).join("<br>") || "none"}</td></tr>`;
