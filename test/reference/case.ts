import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The folder of reference cases: REFERENCE_DIR, or the one beside the project. */
export const referenceDir = resolve(
  process.env["REFERENCE_DIR"] ?? join(import.meta.dirname, "../../../shared/reference"),
);

/** A block of a case as it stands in the file; its keys are the case's own. */
export interface Block {
  readonly [key: string]: unknown;
}

/** One case: data files, tolerances, and what the peers computed. */
export interface ReferenceCase {
  readonly name: string;
  readonly data: readonly string[];
  readonly tolerance: Block;
  readonly content: Block;
}

/** All cases of the folder by name; none if the folder is absent. */
export function referenceCases(): readonly ReferenceCase[] {
  const folder = join(referenceDir, "expected");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => {
      const content = JSON.parse(readFileSync(join(folder, file), "utf8")) as Block;
      const {
        case: name = file.replace(/\.json$/, ""),
        data = [],
        tolerance = {},
      } = content as Partial<{
        case: string;
        data: string[];
        tolerance: Block;
      }>;
      return { name, data, tolerance, content };
    });
}

/** A data file of the folder: its header and its rows as text. Fields are unquoted or simply quoted. */
export function referenceTable(file: string): {
  readonly header: readonly string[];
  readonly rows: readonly string[][];
} {
  const lines = readFileSync(join(referenceDir, "data", file), "utf8")
    .split(/\r?\n/)
    .filter((line) => line !== "");
  const [header = [], ...rows] = lines.map((line) =>
    line.split(",").map((field) => field.trim().replace(/^"(.*)"$/, "$1")),
  );
  return { header, rows };
}

/** The number in a tolerance such as 1e-6 or "exact / 1e-9"; 0 where the case says exact and no more. */
export function toleranceOf(tolerance: unknown): number {
  if (typeof tolerance === "number") return tolerance;
  const numbers = typeof tolerance === "string" ? tolerance.match(/\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi) : null;
  return numbers ? Math.max(...numbers.map(Number)) : 0;
}

/** A nested block, or an empty one. */
export const block = (value: unknown): Block =>
  typeof value === "object" && value !== null ? (value as Block) : {};

/** A list of numbers, or an empty one. */
export const numbers = (value: unknown): readonly number[] =>
  Array.isArray(value) ? (value as number[]) : [];

/** The first key of a block that fits the pattern. */
export const keyLike = (from: Block, pattern: RegExp): string | undefined =>
  Object.keys(from).find((key) => pattern.test(key));
