/**
 * The notebook file format, nbformat 4: read, checked, and written the way Jupyter's own nbformat writes it, so that
 * a saved notebook differs from its predecessor only where somebody changed something.
 * @module
 * @see https://nbformat.readthedocs.io/en/latest/format_description.html
 */
import { createHash } from "node:crypto";
import { DataError } from "../../core/errors.js";

/** One output in several representations, by MIME type. */
export type MimeBundle = Record<string, unknown>;

/** Text a cell printed. */
export interface StreamOutput {
  output_type: "stream";
  name: "stdout" | "stderr";
  text: string;
}
/** Something a cell displayed. */
export interface DisplayOutput {
  output_type: "display_data";
  data: MimeBundle;
  metadata: Record<string, unknown>;
}
/** The value of a cell's last expression. */
export interface ResultOutput {
  output_type: "execute_result";
  data: MimeBundle;
  metadata: Record<string, unknown>;
  execution_count: number | null;
}
/** Why a cell failed. */
export interface ErrorOutput {
  output_type: "error";
  ename: string;
  evalue: string;
  traceback: string[];
}
export type Output = StreamOutput | DisplayOutput | ResultOutput | ErrorOutput;

interface CellBase {
  id?: string;
  source: string;
  metadata: Record<string, unknown>;
  attachments?: Record<string, MimeBundle>;
}
export interface CodeCell extends CellBase {
  cell_type: "code";
  execution_count: number | null;
  outputs: Output[];
}
export interface TextCell extends CellBase {
  cell_type: "markdown" | "raw";
}
export type Cell = CodeCell | TextCell;

/** A notebook in memory: all texts joined, whatever the file's line lists. */
export interface Notebook {
  cells: Cell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
}

/** Kernel and language as written into every notebook of ours. */
export const KERNEL_METADATA = {
  kernelspec: { display_name: "TypeScript", language: "typescript", name: "tslab" },
  language_info: { file_extension: ".ts", mimetype: "text/typescript", name: "typescript" },
} as const;

/** A new notebook with one empty code cell for the tslab kernel. */
export function emptyNotebook(): Notebook {
  return {
    cells: [
      { cell_type: "code", execution_count: null, id: cellId("", 0), metadata: {}, outputs: [], source: "" },
    ],
    metadata: structuredClone(KERNEL_METADATA),
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** The cell's tags: `parameters`, `exercise`, `solution`, … */
export function tagsOf(cell: Cell): readonly string[] {
  const tags = cell.metadata["tags"];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [];
}

/** Whether the value is an object with string keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a notebook file.
 * @throws DataError if the text is no JSON (a truncated file, say), no nbformat 4, or a cell or output is malformed.
 */
export function parseNotebook(text: string, path: string): Notebook {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${path}: not a complete notebook file (${reason})`, { cause: error });
  }
  return readNotebook(parsed, path);
}

/**
 * Checks a notebook that came as JSON and joins its line lists.
 * @throws DataError as `parseNotebook`.
 */
export function readNotebook(value: unknown, path: string): Notebook {
  if (!isRecord(value))
    throw new DataError(`${path}: a notebook must be a JSON object, got ${describe(value)}`);
  const { cells, metadata, nbformat, nbformat_minor: minor } = value;
  if (nbformat !== 4) throw new DataError(`${path}: nbformat must be 4, got ${describe(nbformat)}`);
  if (!Array.isArray(cells)) throw new DataError(`${path}: cells must be a list, got ${describe(cells)}`);
  return {
    cells: cells.map((cell, index) => readCell(cell, `${path}: cell ${String(index + 1)}`)),
    metadata: isRecord(metadata) ? metadata : {},
    nbformat,
    nbformat_minor: typeof minor === "number" ? minor : 5,
  };
}

function readCell(value: unknown, place: string): Cell {
  if (!isRecord(value)) throw new DataError(`${place} must be an object, got ${describe(value)}`);
  const { cell_type: type, id, metadata, attachments } = value;
  const base: CellBase = {
    source: joinLines(value["source"], `${place}: source`),
    metadata: isRecord(metadata) ? metadata : {},
    ...(typeof id === "string" && { id }),
    ...(isRecord(attachments) && { attachments: readAttachments(attachments, place) }),
  };
  if (type === "markdown" || type === "raw") return { ...base, cell_type: type };
  if (type !== "code") {
    throw new DataError(`${place}: cell_type must be code, markdown or raw, got ${describe(type)}`);
  }
  const { execution_count: count, outputs } = value;
  if (!Array.isArray(outputs))
    throw new DataError(`${place}: outputs must be a list, got ${describe(outputs)}`);
  return {
    ...base,
    cell_type: type,
    execution_count: typeof count === "number" ? count : null,
    outputs: outputs.map((output, index) => readOutput(output, `${place}: output ${String(index + 1)}`)),
  };
}

function readAttachments(attachments: Record<string, unknown>, place: string): Record<string, MimeBundle> {
  return Object.fromEntries(
    Object.entries(attachments).map(([name, bundle]) => [
      name,
      readBundle(bundle, `${place}: attachment ${name}`),
    ]),
  );
}

function readOutput(value: unknown, place: string): Output {
  if (!isRecord(value)) throw new DataError(`${place} must be an object, got ${describe(value)}`);
  const metadata = isRecord(value["metadata"]) ? value["metadata"] : {};
  const count = value["execution_count"];
  switch (value["output_type"]) {
    case "stream":
      return {
        output_type: "stream",
        name: value["name"] === "stderr" ? "stderr" : "stdout",
        text: joinLines(value["text"], `${place}: text`),
      };
    case "display_data":
      return { output_type: "display_data", data: readBundle(value["data"], place), metadata };
    case "execute_result":
      return {
        output_type: "execute_result",
        data: readBundle(value["data"], place),
        metadata,
        execution_count: typeof count === "number" ? count : null,
      };
    case "error":
      return {
        output_type: "error",
        ename: String(value["ename"]),
        evalue: String(value["evalue"]),
        traceback: Array.isArray(value["traceback"]) ? value["traceback"].map(String) : [],
      };
    default:
      throw new DataError(
        `${place}: output_type must be stream, display_data, execute_result or error, got ${describe(value["output_type"])}`,
      );
  }
}

function readBundle(value: unknown, place: string): MimeBundle {
  if (!isRecord(value)) throw new DataError(`${place}: data must be an object, got ${describe(value)}`);
  return Object.fromEntries(
    Object.entries(value).map(([mime, data]) => [
      mime,
      !isJsonMime(mime) && Array.isArray(data) ? joinLines(data, `${place}: ${mime}`) : data,
    ]),
  );
}

const isJsonMime = (mime: string): boolean =>
  mime === "application/json" || (mime.startsWith("application/") && mime.endsWith("+json"));

function joinLines(value: unknown, place: string): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((line) => typeof line === "string")) return value.join("");
  throw new DataError(`${place} must be a text or a list of lines, got ${describe(value)}`);
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? "nothing" : text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** An id for a cell that has none: the same for the same source at the same place. */
function cellId(source: string, index: number): string {
  return createHash("sha256")
    .update(`${String(index)}\n${source}`)
    .digest("hex")
    .slice(0, 8);
}

/**
 * The file text of a notebook as nbformat writes it: keys sorted, indent 1, sources and texts as line lists,
 * no trust marks, a newline at the end.
 */
export function serialiseNotebook(notebook: Notebook): string {
  const { signature, orig_nbformat, orig_nbformat_minor, ...metadata } = notebook.metadata;
  const cells = notebook.cells.map((cell, index) => {
    const { trusted, ...cellMetadata } = cell.metadata;
    const id = notebook.nbformat_minor >= 5 ? { id: cell.id ?? cellId(cell.source, index) } : {};
    return {
      ...cell,
      ...id,
      metadata: cellMetadata,
      source: splitLines(cell.source),
      ...(cell.attachments && {
        attachments: Object.fromEntries(
          Object.entries(cell.attachments).map(([name, bundle]) => [name, splitBundle(bundle)]),
        ),
      }),
      ...(cell.cell_type === "code" && { outputs: cell.outputs.map(splitOutput) }),
    };
  });
  return `${JSON.stringify(sortKeys({ ...notebook, cells, metadata }), null, 1)}\n`;
}

function splitOutput(output: Output): object {
  if (output.output_type === "stream") return { ...output, text: splitLines(output.text) };
  if (output.output_type === "error") return output;
  return { ...output, data: splitBundle(output.data) };
}

function splitBundle(bundle: MimeBundle): MimeBundle {
  return Object.fromEntries(
    Object.entries(bundle).map(([mime, data]) => [
      mime,
      typeof data === "string" &&
      (mime.startsWith("text/") || mime === "application/javascript" || mime === "image/svg+xml")
        ? splitLines(data)
        : data,
    ]),
  );
}

// Where Python's `str.splitlines(True)`, which nbformat uses, cuts.
const LINE_ENDS = "\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029";
const LINES = new RegExp(`[^${LINE_ENDS}]*(?:\\r\\n|[${LINE_ENDS}])|[^${LINE_ENDS}]+$`, "g");

/** Lines with their ends. */
const splitLines = (text: string): string[] => text.match(LINES) ?? [];

/** The same JSON value with the keys of every object in order. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}
