import { SourceMap, type SourceMapPayload } from "node:module";
import { isAbsolute, relative } from "node:path";
import { inspect } from "node:util";

/** The content of a Jupyter `error` output. */
export interface Failure {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** A problem the compiler found in a cell or in a module it imports; lines and columns from 1. */
export interface Diagnostic {
  readonly fileName: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

const FRAMES_SHOWN = 6;
const CELL_FRAME = /clientele:cell-(-?\d+):(\d+):(\d+)/;

/** File name under which cell `n` is compiled. */
export const cellFileName = (cell: number): string => `clientele:cell-${String(cell)}`;

/** Knows where each line of a compiled cell stood in the cell as written. */
export class CellPositions {
  readonly #maps = new Map<number, { typescript?: SourceMap; commonjs?: SourceMap }>();

  /** Keeps a source map of a cell. */
  add(cell: number, step: "typescript" | "commonjs", json: string): void {
    const maps = this.#maps.get(cell) ?? {};
    maps[step] = new SourceMap(JSON.parse(json) as SourceMapPayload);
    this.#maps.set(cell, maps);
  }

  /** Line and column (from 1) in the cell for a position in its compiled code, if known. */
  find(cell: number, line: number, column: number): { line: number; column: number } | undefined {
    const maps = this.#maps.get(cell);
    if (!maps?.typescript || !maps.commonjs) return undefined;
    // The first compiled line follows tslab's function header, which has no place in the map.
    const commonjs = maps.commonjs.findEntry(line - 1, column - 1);
    // An entry of an earlier line belongs to code around the cell: tslab's own call of it.
    if (!("originalLine" in commonjs) || commonjs.generatedLine !== line - 1) return undefined;
    const typescript = maps.typescript.findEntry(commonjs.originalLine, commonjs.originalColumn);
    // tslab puts a line "export {};" before the cell, so its lines count from 1 already.
    return "originalLine" in typescript && typescript.originalLine > 0
      ? { line: typescript.originalLine, column: typescript.originalColumn + 1 }
      : undefined;
  }
}

/** Frames of the reader's own code: cells as `cell [3]:2:7`, project files relative to the root, nothing internal. */
function ownFrames(stack: string, positions: CellPositions, root: string): string[] {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames.flatMap((frame) => {
    const cell = CELL_FRAME.exec(frame);
    if (cell) {
      const [, number, line, column] = cell;
      const found = positions.find(Number(number), Number(line), Number(column));
      if (!found) return [];
      const where = `cell [${String(number)}]:${String(found.line)}:${String(found.column)}`;
      const name = /^\s+at (?:async )?(?:Object\.|Proxy\.)?([\w$.]+) \(/.exec(frame)?.[1];
      return [`    at ${name === undefined || name === "eval" ? where : `${name} (${where})`}`];
    }
    const path = /\(?(?:file:\/\/)?((?:\/|[A-Za-z]:[\\/])[^()]*?):\d+:\d+\)?$/.exec(frame)?.[1];
    if (path === undefined || !isAbsolute(path)) return [];
    const local = relative(root, path);
    if (local.startsWith("..") || /(^|[\\/])(node_modules|dist)[\\/]/.test(local)) return [];
    return [frame.replace(`file://${path}`, local).replace(path, local)];
  });
}

/** What a cell threw, as a short trace. `root` is the project's folder. */
export function thrownFailure(thrown: unknown, positions: CellPositions, root: string): Failure {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    const text = inspect(thrown);
    return { ename: "Thrown", evalue: text, traceback: [`Thrown: ${text}`] };
  }
  if (/^(Interrupted asynchronously|Script execution was interrupted)/.test(thrown.message)) {
    return {
      ename: "Interrupted",
      evalue: "the cell was interrupted",
      traceback: ["Interrupted: the cell was interrupted"],
    };
  }
  const lines = [`${thrown.name}: ${thrown.message}`];
  lines.push(...ownFrames(thrown.stack ?? "", positions, root).slice(0, FRAMES_SHOWN));
  for (let cause = thrown.cause, depth = 0; cause !== undefined && depth < 3; depth += 1) {
    lines.push(`Caused by: ${isErrorLike(cause) ? `${cause.name}: ${cause.message}` : inspect(cause)}`);
    cause = isErrorLike(cause) ? cause.cause : undefined;
  }
  return { ename: thrown.name, evalue: thrown.message, traceback: lines.join("\n").split("\n") };
}

/** Errors of another realm are no instances of this realm's Error. */
function isErrorLike(value: unknown): value is Error {
  return (
    typeof value === "object" && value !== null && "message" in value && "stack" in value && "name" in value
  );
}

/** What the compiler found in cell `n`, each problem with its line and the line itself. */
export function compileFailure(diagnostics: readonly Diagnostic[], cell: number, source: string): Failure {
  const sourceLines = source.split("\n");
  const lines = diagnostics.flatMap(({ fileName, line, column, message }) => {
    const place = fileName === "" ? `cell [${String(cell)}]` : fileName;
    const shown = fileName === "" ? sourceLines[line - 1] : undefined;
    return [
      `${place}:${String(line)}:${String(column)} - ${message}`,
      ...(shown === undefined ? [] : [`    ${shown}`, `    ${" ".repeat(Math.max(0, column - 1))}^`]),
    ];
  });
  const first = diagnostics[0];
  return { ename: "TypeScriptError", evalue: first?.message ?? "", traceback: ["TypeScriptError", ...lines] };
}
