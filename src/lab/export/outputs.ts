/**
 * The outputs of a cell as HTML, each in the best form the page can show.
 * @module
 */

import { escapeMarkup } from "../../core/markup.js";
import { type CodeCell, isRecord, type MimeBundle, type Output } from "../notebook/format.js";
import { dressedFigure, type Figure, figureTitle, isFigure } from "./figure-look.js";
import { formula, type MarkdownRenderer, prepare } from "./markdown.js";
import type { Sanitiser } from "./sanitise.js";
import type { FigureRenderer } from "./static-svg.js";
import { studyMime } from "./study-facts.js";

const plotlyMime = "application/vnd.plotly.v1+json";
const checkMime = "application/vnd.clientele.check+json";
const figureWidth = 700;

/** What writing outputs needs. */
export interface OutputTools {
  readonly sanitiser: Sanitiser;
  readonly markdown: MarkdownRenderer;
  readonly renderer: FigureRenderer;
  readonly figures: "interactive" | "static";
  /** A number for each figure of the page, from 1. */
  readonly nextFigure: () => number;
}

/** All outputs of a cell in order; text printed in several parts is one block. */
export async function outputsHtml(cell: CodeCell, tools: OutputTools): Promise<string> {
  const parts: string[] = [];
  for (const output of joinedStreams(cell.outputs)) parts.push(await outputHtml(output, tools));
  return parts.filter((part) => part !== "").join("\n");
}

/** Text without the control sequences that colour it in a terminal; of lines written over each other the last stays. */
function plainText(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
      .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, "")
      .replace(/\r\n/g, "\n")
      .replace(/^.*\r(?!$)/gm, "")
  );
}

function joinedStreams(outputs: readonly Output[]): readonly Output[] {
  const list: Output[] = [];
  for (const output of outputs) {
    const last = list.at(-1);
    const joins =
      output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name;
    if (joins) list[list.length - 1] = { ...last, text: last.text + output.text };
    else list.push(output);
  }
  return list;
}

async function outputHtml(output: Output, tools: OutputTools): Promise<string> {
  if (output.output_type === "stream") return textBlock(output.text, output.name);
  if (output.output_type === "error") return errorBlock(output.ename, output.evalue, output.traceback);
  return bundleHtml(output.data, tools);
}

function textBlock(text: string, kind: string): string {
  const plain = plainText(text).replace(/\n+$/, "");
  if (plain === "") return "";
  const look = kind === "result" && !plain.includes("\n") ? "result sentence" : kind;
  return `<pre class="${look}" tabindex="0">${escapeMarkup(plain)}</pre>`;
}

function errorBlock(name: string, message: string, traceback: readonly string[]): string {
  const trace = plainText(traceback.join("\n"));
  const heading = `<p><strong>${escapeMarkup(plainText(name))}</strong>: ${escapeMarkup(plainText(message))}</p>`;
  const detail =
    trace === "" ? "" : `<details><summary>Where</summary><pre>${escapeMarkup(trace)}</pre></details>`;
  return `<div class="failure">${heading}${detail}</div>`;
}

/** Plotly before pictures before HTML before text; types the page does not know are passed over. */
async function bundleHtml(bundle: MimeBundle, tools: OutputTools): Promise<string> {
  const text = (mime: string): string | undefined => {
    const value = bundle[mime];
    return typeof value === "string" && value.trim() !== "" ? value : undefined;
  };
  const plain = text("text/plain") ?? "";
  if (bundle[studyMime] !== undefined) return ""; // stands at the end of the page
  const check = bundle[checkMime];
  if (isRecord(check)) return checkBlock(String(check["outcome"]), plain);
  const figure = bundle[plotlyMime];
  if (isFigure(figure)) return figureHtml(figure, text("image/svg+xml"), plain, tools);
  const label = plain.startsWith("Figure: ")
    ? (plain.split("\n")[0] ?? "").slice("Figure: ".length)
    : "Picture";
  const svg = tools.sanitiser.svg(text("image/svg+xml") ?? "");
  if (svg !== "") return pictureHtml(svg, label);
  for (const mime of ["image/png", "image/jpeg", "image/gif", "image/webp"]) {
    const data = text(mime)?.replace(/\s/g, "") ?? "";
    if (/^[\w+/]+=*$/.test(data)) return pictureHtml(`<img src="data:${mime};base64,${data}" alt="">`, label);
  }
  return markupHtml(text, tools) ?? textBlock(plain, "result");
}

function markupHtml(text: (mime: string) => string | undefined, tools: OutputTools): string | undefined {
  const html = text("text/html");
  const fragment = html === undefined ? undefined : tools.sanitiser.html(html);
  if (fragment && (fragment.textContent.trim() !== "" || fragment.querySelector("img[src]"))) {
    prepare(fragment);
    return `<div class="output">${tools.sanitiser.write(fragment)}</div>`;
  }
  const markdown = text("text/markdown");
  if (markdown !== undefined) return `<div class="output">${tools.markdown(markdown).html}</div>`;
  const latex = text("text/latex");
  const tex = latex?.trim().replace(/^\$\$?([\s\S]*?)\$\$?$/, "$1");
  return tex === undefined ? undefined : `<div class="math">${formula(tex, true)}</div>`;
}

function checkBlock(outcome: string, message: string): string {
  const kind = outcome === "right" ? "right" : outcome === "not yet" ? "not-yet" : "not-tried";
  return `<p class="outcome ${kind}">${escapeMarkup(message)}</p>`;
}

const pictureHtml = (picture: string, label: string): string =>
  `<figure role="group" aria-label="${escapeMarkup(label)}"><div class="picture">${picture}</div></figure>`;

/** The static picture, and for interactive pages the figure's JSON beside it: Plotly takes the picture's place. */
async function figureHtml(
  figure: Figure,
  stored: string | undefined,
  plain: string,
  { sanitiser, renderer, figures, nextFigure }: OutputTools,
): Promise<string> {
  const number = String(nextFigure());
  const label = `Figure ${number}: ${figureTitle(figure) || "without a title"}`;
  const still = sanitiser.svg(stored ?? "") || (await drawn(figure, renderer, sanitiser));
  const words = plain === "" ? "" : `<figcaption class="unseen">${escapeMarkup(plain)}</figcaption>`;
  const frame = `<div class="picture" tabindex="0">${still}</div>`;
  if (figures === "static") return `<figure aria-label="${escapeMarkup(label)}">${frame}${words}</figure>`;
  const { width: _width, ...layout } = dressedFigure(figure, figureWidth).layout;
  const height = typeof layout["height"] === "number" ? layout["height"] : 420;
  const json = scriptJson({ data: figure.data, layout: { ...layout, height, autosize: true } });
  const plot = `<div class="plot" role="img" aria-label="${escapeMarkup(label)}" hidden></div>`;
  return (
    `<figure class="interactive" aria-label="${escapeMarkup(label)}">${frame}${plot}${words}` +
    `<script type="application/json">${json}</script></figure>`
  );
}

/** JSON that no HTML parser takes for the end of the script. */
const scriptJson = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/** A new picture of a figure, or the reason why there is none: one figure must not cost the page. */
async function drawn(figure: Figure, renderer: FigureRenderer, sanitiser: Sanitiser): Promise<string> {
  try {
    return sanitiser.svg(await renderer.render(figure));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `<p class="failure">No static picture: ${escapeMarkup(reason)}</p>`;
  }
}
