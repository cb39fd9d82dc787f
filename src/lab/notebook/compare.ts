/**
 * Compares a notebook's stored outputs with fresh ones: the proof that a study still gives what it says.
 * @module
 */
import { type Cell, isRecord, type Notebook, type Output, sortKeys, tagsOf } from "./format.js";

/** One cell whose outputs are not those stored. */
export interface CellDifference {
  /** Number of the cell among all cells, from 1. */
  readonly cell: number;
  /** Lines of a small diff: `- stored`, `+ fresh`. */
  readonly lines: readonly string[];
}

/** Numbers agree when they agree to this many significant digits. */
const SIGNIFICANT_DIGITS = 10;
/** Pictures are drawn from the figure, which is compared itself. */
const DERIVED_MIMES = new Set(["image/svg+xml", "image/png"]);
// A number by itself, with a point or an exponent: not part of a name, a version or a colour such as #009e73.
const NUMBER = /(?<![\w#.-])-?\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+)(?![\w.])/gi;
const LINES_SHOWN = 12;

/**
 * The cells whose outputs differ: numbers to 10 significant digits, everything else exactly; pictures that are drawn
 * from a compared figure are left out, as are cells tagged `varying`.
 */
export function compareOutputs(stored: Notebook, fresh: Notebook): readonly CellDifference[] {
  const count = Math.max(stored.cells.length, fresh.cells.length);
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const [before, after] = [stored.cells[index], fresh.cells[index]];
    if (before && tagsOf(before).includes("varying")) return [];
    const lines = differingLines(comparable(before), comparable(after));
    return lines.length === 0 ? [] : [{ cell: index + 1, lines }];
  });
}

function comparable(cell: Cell | undefined): readonly string[] {
  if (cell?.cell_type !== "code") return [];
  return cell.outputs.flatMap((output) => [`[${output.output_type}]`, ...linesOf(output)]);
}

function linesOf(output: Output): string[] {
  if (output.output_type === "stream") return roundedText(output.text).split("\n");
  if (output.output_type === "error") return roundedText(output.traceback.join("\n")).split("\n");
  return Object.entries(output.data)
    .filter(([mime]) => !DERIVED_MIMES.has(mime))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([mime, data]) => [
      `(${mime})`,
      ...(typeof data === "string"
        ? roundedText(data).split("\n")
        : JSON.stringify(roundedValue(sortKeys(data)), null, 1).split("\n")),
    ]);
}

const rounded = (value: number): string => String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));

const roundedText = (text: string): string => text.replace(NUMBER, (digits) => rounded(Number(digits)));

function roundedValue(value: unknown): unknown {
  if (typeof value === "number") return Number(rounded(value));
  if (typeof value === "string") return roundedText(value);
  if (Array.isArray(value)) return value.map(roundedValue);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, roundedValue(entry)]));
}

/** What stands between the common beginning and the common end. */
function differingLines(before: readonly string[], after: readonly string[]): string[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  const removed = before.slice(start, before.length - end).map((line) => `- ${line}`);
  const added = after.slice(start, after.length - end).map((line) => `+ ${line}`);
  return [...shorten(removed), ...shorten(added)];
}

const shorten = (lines: readonly string[]): string[] =>
  lines.length <= LINES_SHOWN
    ? [...lines]
    : [...lines.slice(0, LINES_SHOWN), `  … ${lines.length - LINES_SHOWN} more lines`];
