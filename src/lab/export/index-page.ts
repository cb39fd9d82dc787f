import { basename } from "node:path";
import { escapeMarkup } from "../../core/markup.js";
import type { Notebook } from "../notebook/format.js";
import { type Outline, outlineOf } from "./outline.js";
import { page } from "./page.js";
import { dataUntil, studiesOf } from "./study-facts.js";

/** What the index says of one study. */
export interface IndexEntry extends Outline {
  /** The digits in front of the file's name; empty if there are none. */
  readonly number: string;
  /** Where its page stands, seen from the index. */
  readonly href: string;
  /** The last day its data reach to, as an ISO date; undefined if its parameters name no date. */
  readonly until: string | undefined;
}

/** The entry of a notebook whose page stands at `href`, such as `01-which-customers-to-look-after.html`. */
export function indexEntry(notebook: Notebook, href: string): IndexEntry {
  const number = /^\d+/.exec(basename(href))?.[0] ?? "";
  return { ...outlineOf(notebook), number, href, until: dataUntil(studiesOf(notebook)) };
}

/**
 * The index of all studies as one HTML page: number, title, question, decision, time and how far the data reach, each
 * with a link to its page. Self-contained, without scripts.
 */
export function exportIndex(entries: readonly IndexEntry[], title = "Studies"): string {
  const list = `<ol class="studies">\n${entries.map(entryHtml).join("\n")}\n</ol>`;
  return page({
    title,
    body: `<a class="skip" href="#main">Skip to the studies</a>
<div class="layout alone">
<main id="main">
<h1>${escapeMarkup(title)}</h1>
${entries.length === 0 ? "<p>There are no studies yet.</p>" : list}
</main>
</div>`,
  });
}

function entryHtml({ number, href, title, question, decision, minutes, until }: IndexEntry): string {
  const facts = [
    ...(minutes === undefined ? [] : [`${String(minutes)} minutes`]),
    ...(until === undefined ? [] : [`data until ${until}`]),
  ];
  return [
    `<li><span class="number" aria-hidden="true">${escapeMarkup(number)}</span><div>`,
    `<h2><a href="${escapeMarkup(encodeURI(href))}">${escapeMarkup(title)}</a></h2>`,
    question === "" || question === title ? "" : `<p>${escapeMarkup(question)}</p>`,
    decision === "" ? "" : `<p><strong>Decision:</strong> ${escapeMarkup(decision)}</p>`,
    facts.length === 0 ? "" : `<p class="aside">${escapeMarkup(facts.join(" · "))}</p>`,
    "</div></li>",
  ].join("");
}
