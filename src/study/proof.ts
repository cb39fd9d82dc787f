import { type ColumnTable, table } from "arquero";
import type { Figure } from "../charts/figure.js";
import { axis, figureOf, palette, thousands } from "../charts/theme.js";
import { DataError } from "../core/errors.js";
import { escapeMarkup } from "../core/markup.js";
import { type MimeBundle, type Renderable, renderable } from "./mime.js";
import { tableBundle } from "./table-view.js";

/**
 * What became of a published number.
 *
 * - "agrees": ours rounds to the digits printed; of a maximised log-likelihood: ours is not below it.
 * - "differs": it does not.
 * - "corrected": the printed number is wrong, ours rounds to the right one.
 * - "consistent": ours rounds to the digits printed, at inputs that the source does not print and that were inferred from
 *   numbers like this one. No independent proof, so it is counted apart.
 */
export type Verdict = "agrees" | "differs" | "corrected" | "consistent";

/** One published number beside ours. */
export interface ProofRow {
  /** Paper, table or page. */
  readonly source: string;
  readonly quantity: string;
  /** As printed: ".668", "-9582.4", "1,253.1". */
  readonly published: string;
  readonly ours: number;
  /** How far ours may be from the number it is held against: half a unit of its last digit. */
  readonly tolerance: number;
  /** Ours minus the number it is held against: the printed one, or the right one where that is wrong. */
  readonly difference: number;
  readonly verdict: Verdict;
  /** What explains the verdict; "" if nothing needs to be said. */
  readonly note: string;
}

/** Published numbers beside ours, and how many have each verdict. `show` draws it as a table. */
export interface Proof {
  readonly title: string;
  readonly rows: readonly ProofRow[];
  readonly counts: Readonly<Record<Verdict, number>>;
}

/** A printed number that is wrong, and the right one as it would be printed. */
export interface Misprint {
  readonly published: string;
  readonly right: string;
  /** How we know. */
  readonly why: string;
}

/**
 * Published numbers, separated by blanks, beside ours in the same order. A number agrees if ours rounds to the digits
 * printed: the tolerance is half a unit of the last digit, never more.
 * @throws RangeError if there are not as many quantities, published numbers and values, or a published one is no number.
 */
export function publishedNumbers(
  source: string,
  quantities: readonly string[],
  numbers: string,
  ours: ArrayLike<number>,
): readonly ProofRow[] {
  return eachOf(source, quantities, numbers, ours, (quantity, text, value) =>
    rowOf({ source, quantity, published: text, ours: value, note: "" }, text, "agrees"),
  );
}

/**
 * Published numbers beside ours at inputs that the source does not print: `inputs` says where they come from. They are
 * "consistent" where `publishedNumbers` would say "agrees".
 * @throws RangeError as `publishedNumbers`.
 */
export function publishedAtInferred(
  source: string,
  quantities: readonly string[],
  numbers: string,
  ours: ArrayLike<number>,
  inputs: string,
): readonly ProofRow[] {
  return eachOf(source, quantities, numbers, ours, (quantity, text, value) =>
    rowOf({ source, quantity, published: text, ours: value, note: inputs }, text, "consistent"),
  );
}

/**
 * A published maximum, such as a log-likelihood: ours agrees if it is not lower than the printed number less half a unit
 * of its last digit. Higher is better: somebody stopped before the maximum.
 * @throws RangeError if the published text is no number.
 */
export function publishedMaximum(
  source: string,
  quantity: string,
  text: string,
  ours: number,
): readonly ProofRow[] {
  const exact = rowOf({ source, quantity, published: text, ours, note: "" }, text, "agrees");
  if (exact.verdict === "agrees" || !(exact.difference > 0)) return [exact];
  return [Object.freeze({ ...exact, verdict: "agrees", note: "higher than published" } as const)];
}

/**
 * A published number that is wrong: ours must round to the right one and not to the printed one.
 * @throws RangeError if the published or the right text is no number.
 */
export function misprinted(
  source: string,
  quantity: string,
  { published: text, right, why }: Misprint,
  ours: number,
): readonly ProofRow[] {
  const cells = { source, quantity, published: text, ours, note: `right is ${right}: ${why}` };
  const corrected = rowOf(cells, right, "corrected");
  if (corrected.verdict === "differs" || rowOf(cells, text, "agrees").verdict === "differs")
    return [corrected];
  return [
    Object.freeze({ ...corrected, verdict: "differs", note: `not misprinted: ${cells.note}` } as const),
  ];
}

/** A wall of proof, or a part of one: the rows of several calls together under a title. */
export function proof(title: string, ...parts: readonly (readonly ProofRow[])[]): Proof & Renderable {
  const rows = Object.freeze(parts.flat());
  const counts = { agrees: 0, differs: 0, corrected: 0, consistent: 0 };
  for (const { verdict } of rows) counts[verdict]++;
  const wall: Proof = { title, rows, counts: Object.freeze(counts) };
  const caption = `${title}: ${countsText(counts)}`;
  return renderable(
    wall,
    shown(wall, tableBundle(compact(wall), { caption, rows: Math.max(1, rows.length) })),
  );
}

/** The table as it is shown: a source that stands above is not repeated, so that most rows fit on one line. */
function compact(wall: Proof): ColumnTable {
  const rows = proofTable(wall).select("source", "quantity", "published", "ours", "verdict");
  const sources = rows.array("source") as readonly string[];
  return rows.assign(
    table({
      source: sources.map((source, row) => (source === sources[row - 1] ? "" : source)),
      verdict: (rows.array("verdict") as readonly string[]).map((text) => text.replace(" ", "\u00a0")),
    }),
  );
}

/** The notes below the table, each once. */
function shown({ rows }: Proof, bundle: MimeBundle): MimeBundle {
  const noted = rows.filter(({ note }) => note !== "");
  const notes = new Set(
    noted.map(({ verdict, source, quantity, note }) =>
      verdict === "consistent"
        ? `${marks[verdict]} ${source}: ${note}`
        : `${marks[verdict]} ${source}, ${quantity}: ${note}`,
    ),
  );
  if (notes.size === 0) return bundle;
  return {
    "text/html": `${String(bundle["text/html"])}\n<p>${Array.from(notes, escapeMarkup).join("<br>\n")}</p>`,
    "text/plain": [bundle["text/plain"], ...notes].join("\n"),
  };
}

/**
 * One row a published number: `source`, `quantity`, `published` as printed, `ours` with two digits more, `verdict` as a
 * mark and a word, and `note` where something needs to be said.
 */
export function proofTable({ rows }: Proof): ColumnTable {
  const column = (of: (row: ProofRow) => string): string[] => rows.map(of);
  const noted = rows.some(({ note }) => note !== "");
  return table({
    source: column(({ source }) => source),
    quantity: column(({ quantity }) => quantity),
    published: column((row) => row.published),
    ours: column((row) => oursText(row)),
    verdict: column(({ verdict }) => `${marks[verdict]} ${verdict}`),
    ...(noted && { note: column(({ note }) => note) }),
  });
}

/**
 * The proof itself if no number differs.
 * @throws DataError listing the numbers that differ.
 */
export function requireProof<P extends Proof>(wall: P): P {
  const failing = wall.rows.filter(({ verdict }) => verdict === "differs");
  if (failing.length === 0) return wall;
  const list = failing.map(
    (row) => `${row.source}, ${row.quantity}: published ${row.published}, ours ${oursText(row)}`,
  );
  throw new DataError(
    `${wall.title}: ${failing.length} of ${wall.rows.length} published numbers differ: ${list.join("; ")}`,
  );
}

/**
 * How far each number of ours is from the one it is held against, in units of the last digit printed: all that agree lie
 * within half a unit. One line a proof; a maximum that is higher than published is left out.
 * @throws DataError if there is no number to show.
 */
export function proofFigure(walls: readonly Proof[], text: { readonly title?: string } = {}): Figure {
  const points = walls.map(({ title, rows }) => ({
    title,
    rows: rows.filter(
      ({ verdict, difference, tolerance }) => verdict === "differs" || Math.abs(difference) <= 2 * tolerance,
    ),
  }));
  const all = points.flatMap(({ rows }) => rows);
  if (all.length === 0)
    throw new DataError("proof figure: at least one published number is needed, got none");
  const within = all.filter(({ verdict }) => verdict !== "differs").length;
  const reach = Math.max(
    0.6,
    ...all.map(({ difference, tolerance }) => Math.abs(difference / tolerance / 2)),
  );
  return figureOf(
    points.map(({ title, rows }) => ({
      type: "scatter",
      mode: "markers",
      name: title,
      x: rows.map(({ difference, tolerance }) => Number((difference / tolerance / 2).toPrecision(6))),
      y: rows.map(() => title),
      marker: {
        color: rows.map(({ verdict }) => (verdict === "differs" ? palette.red : palette.blue)),
        symbol: rows.map(({ verdict }) => symbols[verdict]),
        size: 9,
        opacity: 0.7,
      },
      text: rows.map((row) => `${row.quantity}: published ${row.published}, ours ${oursText(row)}`),
      hovertemplate: "%{text}<extra></extra>",
    })),
    {
      title:
        text.title ??
        `${thousands(within)} of ${thousands(all.length)} numbers lie within half a unit of the last digit printed`,
      height: 190 + 42 * walls.length,
      axes: {
        xaxis: axis("ours minus published (units of the last digit printed)", { range: [-reach, reach] }),
        yaxis: axis("", { type: "category", autorange: "reversed", showgrid: true }),
      },
      extra: {
        shapes: [-0.5, 0.5].map((edge) => ({
          type: "line",
          x0: edge,
          x1: edge,
          yref: "y domain",
          y0: 0,
          y1: 1,
          line: { color: palette.ink, width: 1, dash: "dash" },
        })),
      },
    },
  );
}

const marks: Readonly<Record<Verdict, string>> = {
  agrees: "✓",
  differs: "✗",
  corrected: "≠",
  consistent: "≈",
};

const symbols: Readonly<Record<Verdict, string>> = {
  agrees: "circle",
  differs: "x",
  corrected: "diamond",
  consistent: "circle-open",
};

/** "12 agree, 0 differ, 1 corrected". */
const countsText = ({ agrees, differs, corrected, consistent }: Proof["counts"]): string =>
  [
    `${thousands(agrees)} agree`,
    `${thousands(differs)} differ`,
    ...(corrected > 0 ? [`${thousands(corrected)} corrected`] : []),
    ...(consistent > 0 ? [`${thousands(consistent)} consistent`] : []),
  ].join(", ");

/** One row for each quantity. */
function eachOf(
  source: string,
  quantities: readonly string[],
  numbers: string,
  ours: ArrayLike<number>,
  row: (quantity: string, text: string, value: number) => ProofRow,
): readonly ProofRow[] {
  const texts = numbers.split(/\s+/).filter((text) => text !== "");
  if (texts.length !== quantities.length || ours.length !== quantities.length) {
    throw new RangeError(
      `${source}: there must be as many published numbers and values as quantities, ` +
        `got ${texts.length} and ${ours.length} for ${quantities.length}`,
    );
  }
  return Object.freeze(
    quantities.map((quantity, index) => row(quantity, texts[index] as string, ours[index] as number)),
  );
}

/** A row that holds ours against a number: `verdict` if it rounds to its digits, else "differs". */
function rowOf(
  cells: Pick<ProofRow, "source" | "quantity" | "published" | "ours" | "note">,
  against: string,
  verdict: Verdict,
): ProofRow {
  const { value, unit } = readPrinted(cells.source, against);
  const tolerance = unit / 2;
  const difference = cells.ours - value;
  if (!Number.isFinite(difference)) {
    throw new RangeError(
      `${cells.source}, ${cells.quantity}: ours must be a finite number, got ${cells.ours}`,
    );
  }
  const agrees = Math.abs(difference) <= tolerance + TIE * Math.max(Math.abs(value), unit);
  return Object.freeze({ ...cells, tolerance, difference, verdict: agrees ? verdict : "differs" });
}

const TIE = 1e-14; // a decimal half such as 0.6685 is no binary fraction: a tie may be rounded either way

/** The number that a text prints, and the unit of its last digit: ".668" is 0.668 and 0.001. */
function readPrinted(source: string, text: string): { readonly value: number; readonly unit: number } {
  const [, mantissa, decimals = "", exponent = "0"] =
    /^([+-]?(?:\d[\d,]*)?(?:\.(\d*))?)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const value = Number(`${mantissa?.replaceAll(",", "")}e${exponent}`);
  if (mantissa === undefined || !/\d/.test(mantissa) || Number.isNaN(value)) {
    throw new RangeError(
      `${source}: a published number must be written like ".668" or "1,253.1", got "${text}"`,
    );
  }
  return { value, unit: Number(`1e${Number(exponent) - decimals.length}`) };
}

/** Ours with two digits more than printed, so that one sees how it rounds. */
function oursText({ ours, tolerance }: ProofRow): string {
  const digits = Math.round(-Math.log10(2 * tolerance)) + 2;
  return Math.abs(ours) < 1e-4 && ours !== 0
    ? ours.toExponential(Math.max(0, digits + Math.floor(Math.log10(Math.abs(ours)))))
    : ours.toFixed(Math.max(0, digits));
}
