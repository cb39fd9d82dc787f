/**
 * How wide a text is, from a table: the same on every machine, whatever fonts it has.
 * @module
 */

/** How a text is set. Size in pixels. */
export interface TextFont {
  readonly size: number;
  readonly bold?: boolean;
  readonly monospace?: boolean;
}

/** Advance widths of Helvetica, in thousandths of the size (Adobe Font Metrics); Arial and Liberation Sans agree. */
const helvetica: Readonly<Record<number, string>> = {
  191: "'",
  222: "ijl",
  260: "|",
  278: " !,./:;I[\\]ft·",
  333: "()-`r",
  334: "{}",
  350: "•",
  355: '"',
  389: "*",
  400: "°",
  469: "^",
  500: "Jcksvxyz",
  556: "#$0123456789?L_abdeghnopqu€£–",
  584: "+<=>~−×÷±≤≥≈",
  611: "FTZß",
  667: "&ABEKPSVXY",
  722: "CDHNRUw",
  778: "GOQ",
  833: "Mm",
  889: "%",
  944: "W",
  1000: "…—→←↑↓",
  1015: "@",
};

const widths = new Map(
  Object.entries(helvetica).flatMap(([width, letters]) =>
    Array.from(letters, (letter) => [letter, Number(width)] as const),
  ),
);

const averageWidth = 600;
const fullWidth = 1000;
const monospaceWidth = 602;
const boldFactor = 1.07; // Helvetica Bold over Helvetica, averaged over running text

/** Ascent and descent of a line, as fractions of the font size. */
export const lineExtent = Object.freeze({ ascent: 0.905, descent: 0.212 });

/** Width of one line of text in pixels. */
export function textWidth(text: string, { size, bold = false, monospace = false }: TextFont): number {
  const units = Array.from(text.normalize("NFD")).reduce(
    (sum, letter) => sum + letterWidth(letter, monospace),
    0,
  );
  return (units * size * (bold && !monospace ? boldFactor : 1)) / 1000;
}

/** Whether the table knows every letter, so that the width is exact and no estimate. */
export function isExactWidth(text: string): boolean {
  return Array.from(text.normalize("NFD")).every((letter) => widths.has(letter) || isMark(letter));
}

const isMark = (letter: string): boolean => /\p{M}/u.test(letter);

function letterWidth(letter: string, monospace: boolean): number {
  if (isMark(letter)) return 0;
  if ((letter.codePointAt(0) ?? 0) >= 0x2e80) return fullWidth; // Chinese, Japanese, Korean, emoji
  return monospace ? monospaceWidth : (widths.get(letter) ?? averageWidth);
}
