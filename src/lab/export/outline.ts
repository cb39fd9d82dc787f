/**
 * What a study is about, read from its texts.
 * @module
 */
import { type MarkedToken, marked, type Token } from "marked";
import type { Notebook } from "../notebook/format.js";

/** The few sentences that say what a study asks and what came of it; empty where it does not say. */
export interface Outline {
  readonly title: string;
  readonly question: string;
  readonly decision: string;
  /** Minutes it takes, all stated parts together; undefined if none is stated. */
  readonly minutes: number | undefined;
}

interface Block {
  readonly heading: boolean;
  readonly text: string;
}

/** Title (first heading), question, decision and minutes of a notebook, as plain text. */
export function outlineOf(notebook: Notebook): Outline {
  const blocks = notebook.cells.flatMap(({ cell_type: type, source, ...cell }): Block[] => {
    if (type === "markdown") return blocksOf(source);
    const outputs = "outputs" in cell ? cell.outputs : [];
    return outputs.flatMap((output) => {
      const text = "data" in output ? output.data["text/markdown"] : undefined;
      return typeof text === "string" ? blocksOf(text) : [];
    });
  });
  const first = blocks.findIndex(({ heading }) => heading);
  const next = blocks.findIndex(({ heading }, index) => heading && index > first);
  const opening = blocks.slice(first + 1, next === -1 ? undefined : next).map(({ text }) => text);
  return {
    title: blocks[first]?.text ?? "Notebook",
    question: questionOf(opening, blocks),
    decision: sentencesOf(below(/\bdecision\b/i, blocks, /^decision\b/i))[0] ?? "",
    minutes: minutesIn(opening),
  };
}

/** What is asked, with what leads up to it: the paragraph that says so, else what stands below a heading that does, else the opening one. */
function questionOf(opening: readonly string[], blocks: readonly Block[]): string {
  const asked = opening.find((text) => /^(?:the )?question\b/i.test(text));
  const text = asked ?? (below(/\b(?:question|objectives?)\b/i, blocks) || (opening[0] ?? ""));
  const sentences = sentencesOf(text);
  const asks = sentences.findIndex((sentence) => sentence.endsWith("?"));
  return sentences.slice(0, Math.max(asks, 0) + 1).join(" ");
}

/** The first paragraph below the first such heading, or the one below it that begins with `start`. */
function below(title: RegExp, blocks: readonly Block[], start?: RegExp): string {
  const at = blocks.findIndex(({ heading, text }) => heading && title.test(text));
  if (at === -1) return "";
  const end = blocks.findIndex(({ heading }, index) => heading && index > at);
  const section = blocks.slice(at + 1, end === -1 ? undefined : end).map(({ text }) => text);
  return section.find((text) => start?.test(text)) ?? section[0] ?? "";
}

/** The sentences that say something: a label such as "Decision." alone does not. */
function sentencesOf(text: string): readonly string[] {
  const isLabel = /^(?:the )?(?:question|decision|objectives?)[.:]?$/i;
  return Array.from(new Intl.Segmenter("en", { granularity: "sentence" }).segment(text), ({ segment }) =>
    segment.trim(),
  ).filter((sentence) => !isLabel.test(sentence));
}

function minutesIn(texts: readonly string[]): number | undefined {
  const stated = texts.flatMap((text) => Array.from(text.matchAll(/\b(\d{1,3})\s*min(?:utes?)?\b/gi)));
  return stated.length === 0 ? undefined : stated.reduce((sum, [, minutes]) => sum + Number(minutes), 0);
}

function blocksOf(source: string): Block[] {
  return marked.lexer(source).flatMap((token) => {
    const text = plainText([token]).replace(/\s+/g, " ").trim();
    const isText = ["heading", "paragraph", "blockquote", "list"].includes(token.type);
    return isText && text !== "" ? [{ heading: token.type === "heading", text }] : [];
  });
}

function plainText(tokens: readonly Token[]): string {
  return tokens.map((token) => tokenText(token as MarkedToken)).join("");
}

function tokenText(token: MarkedToken): string {
  switch (token.type) {
    case "list":
      return token.items.map(({ tokens }) => plainText(tokens)).join(" ");
    case "br":
      return " ";
    case "html":
    case "image":
      return "";
    case "codespan":
    case "escape":
      return token.text;
    default:
      if ("tokens" in token) return plainText(token.tokens ?? []);
      return "text" in token ? unescaped(token.text) : "";
  }
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** `show` writes values from the data with entities, so that Markdown takes them for nothing else. */
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (entity, name: string) => entities[name] ?? entity);
