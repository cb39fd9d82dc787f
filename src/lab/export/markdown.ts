/**
 * Markdown cells as HTML: GitHub's tables, formulas as MathML, highlighted code, attached images.
 * @module
 */
import katex from "katex";
import { Marked, type MarkedExtension } from "marked";
import { escapeMarkup } from "../../core/markup.js";
import type { MimeBundle } from "../notebook/format.js";
import { highlighted } from "./code.js";
import type { Sanitiser } from "./sanitise.js";

/** A heading with the id it has on the page. */
export interface Heading {
  readonly depth: number;
  readonly text: string;
  readonly id: string;
}

/** Markdown as it goes onto the page. */
export interface RenderedText {
  readonly html: string;
  readonly headings: readonly Heading[];
}

/** Turns the texts of one page into HTML; ids of headings are unique on the page. */
export type MarkdownRenderer = (
  source: string,
  attachments?: Readonly<Record<string, MimeBundle>>,
) => RenderedText;

/** A renderer for one page. All it writes has gone through the sanitiser. */
export function createMarkdownRenderer(sanitiser: Sanitiser): MarkdownRenderer {
  const marked = new Marked({ gfm: true }, formulas, looks);
  const taken = new Set<string>();
  return (source, attachments = {}) => {
    const raw = marked.parse(withAttachments(source, attachments), { async: false });
    const fragment = sanitiser.html(raw);
    const headings = Array.from(fragment.querySelectorAll("h1, h2, h3, h4, h5, h6"), (element) => {
      const text = element.textContent.trim();
      element.id = uniqueId(text, taken);
      return { depth: Number(element.localName.slice(1)), text, id: element.id };
    });
    prepare(fragment);
    return { html: sanitiser.write(fragment), headings };
  };
}

/** Wide tables scroll by themselves, images that could not be brought along say what they show. */
export function prepare(fragment: DocumentFragment): void {
  for (const table of fragment.querySelectorAll("table")) {
    const frame = fragment.ownerDocument.createElement("div");
    frame.className = "scroll";
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", table.caption?.textContent ?? "Table");
    frame.tabIndex = 0;
    for (const heading of table.querySelectorAll("th")) breakAtUnderscores(heading);
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const image of fragment.querySelectorAll("img:not([src])")) {
    image.replaceWith(`[image not included: ${image.getAttribute("alt") ?? "without description"}]`);
  }
  for (const link of fragment.querySelectorAll("a[href^='http']")) link.setAttribute("rel", "noreferrer");
}

/** Column names such as `median_recency_days` may break, so that a wide table still fits. */
function breakAtUnderscores(heading: Element): void {
  const text = heading.textContent;
  if (heading.childElementCount > 0 || !text.includes("_")) return;
  const parts = text.split(/(?<=_)/);
  heading.replaceChildren(
    ...parts.flatMap((part, index) =>
      index === 0 ? [part] : [heading.ownerDocument.createElement("wbr"), part],
    ),
  );
}

/** The id of a heading as GitHub forms it: lower case, hyphens for spaces; a number if it is taken. */
function uniqueId(text: string, taken: Set<string>): string {
  const words = text.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, "");
  const slug = words.trim().replace(/\s+/g, "-") || "section";
  let id = slug;
  for (let number = 1; taken.has(id); number++) id = `${slug}-${String(number)}`;
  taken.add(id);
  return id;
}

/** The Markdown with `attachment:name` replaced by the attached image itself. */
function withAttachments(source: string, attachments: Readonly<Record<string, MimeBundle>>): string {
  return source.replace(/attachment:([^\s)"'>]+)/g, (address, name: string) => {
    const bundle = attachments[name] ?? attachments[name.replaceAll("%20", " ")];
    const [mime, data] = Object.entries(bundle ?? {}).find(([type]) => type.startsWith("image/")) ?? [];
    if (mime === undefined || typeof data !== "string") return address;
    const isText = mime === "image/svg+xml" && data.trimStart().startsWith("<");
    return isText
      ? `data:${mime},${encodeURIComponent(data)}`
      : `data:${mime};base64,${data.replace(/\s/g, "")}`;
  });
}

const looks: MarkedExtension = {
  renderer: {
    code: ({ text, lang }) => {
      const language = lang?.split(/\s/)[0] ?? "";
      const isTypeScript = /^(?:ts|typescript|js|javascript)$/i.test(language);
      return `<pre><code class="hljs">${isTypeScript ? highlighted(text) : escapeMarkup(text)}</code></pre>`;
    },
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
};

/**
 * `$x$` and `$$x$$`. As in Pandoc a formula starts before and ends after something that is no space, and no digit
 * follows it: "from $5 to $10" is money.
 */
const formulas: MarkedExtension = {
  extensions: [
    {
      name: "formulaBlock",
      level: "block",
      start: (source) => source.indexOf("$$"),
      tokenizer(source) {
        const found = /^\$\$([\s\S]+?)\$\$[ \t]*(?:\n|$)/.exec(source);
        return found ? { type: "formulaBlock", raw: found[0], tex: found[1] } : undefined;
      },
      renderer: (token) => `<div class="math">${formula(String(token["tex"]), true)}</div>\n`,
    },
    {
      name: "formula",
      level: "inline",
      start: (source) => source.indexOf("$"),
      tokenizer(source) {
        const found = /^(\$\$?)(?![\s$])((?:\\.|[^\\$])*?(?:\\.|[^\\$\s]))\1(?!\d)/s.exec(source);
        return found
          ? { type: "formula", raw: found[0], tex: found[2], display: found[1] === "$$" }
          : undefined;
      },
      renderer: (token) => formula(String(token["tex"]), token["display"] === true),
    },
  ],
};

/** MathML of a formula; a mistake in it shows as its source in red. */
export function formula(tex: string, display: boolean): string {
  return katex.renderToString(tex, {
    displayMode: display,
    output: "mathml",
    throwOnError: false,
    strict: false,
  });
}
