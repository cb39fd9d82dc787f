import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join } from "node:path";
import { inspect } from "node:util";
import { DataError } from "../core/errors.js";
import { escapeMarkup } from "../core/markup.js";
import { type MimeBundle, type Renderable, renderable } from "./mime.js";
import { type ShowOptions, show } from "./show.js";

/** What a study parameter may be: what JSON keeps. */
export type Parameter = string | number | boolean | null | readonly Parameter[];

/** What a study says about itself in its first cell. */
export interface StudySpec {
  readonly title: string;
  /** Data files, relative to the notebook. */
  readonly data: readonly string[];
  /** Seed of everything random in the study. */
  readonly seed?: number;
  readonly parameters?: Readonly<Record<string, Parameter>>;
}

/** What the outputs of a study depend on; equal records mean equal outputs. */
export interface StudyRecord {
  readonly title: string;
  readonly data: readonly { readonly path: string; readonly sha256: string; readonly bytes: number }[];
  readonly seed: number | null;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** The packages whose version can change a number. */
const computingPackages = [
  "@duckdb/node-api",
  "arquero",
  "danfojs-node",
  "ml-regression",
  "simple-statistics",
] as const;

/**
 * Opens a study: shows what its outputs depend on, namely the data files by hash, the seed, the parameters and the
 * versions of the packages that compute. Nothing of it depends on the clock or the machine; the executor adds the
 * facts of the run.
 * @throws DataError if a data file cannot be read, a path is absolute, or a parameter is not JSON.
 */
export function study(spec: StudySpec, options: Pick<ShowOptions, "sink"> = {}): void {
  show(studyRecord(spec), options);
}

/**
 * The record that `study` shows, for who wants to keep it.
 * @throws DataError as `study`.
 */
export function studyRecord({ title, data, seed, parameters = {} }: StudySpec): StudyRecord & Renderable {
  if (seed !== undefined && !Number.isInteger(seed))
    throw new RangeError(`seed must be a whole number, got ${seed}`);
  for (const [name, value] of Object.entries(parameters)) requireJson(name, value);
  const record: StudyRecord = {
    title,
    data: data.map(fingerprint),
    seed: seed ?? null,
    parameters: { ...parameters },
    versions: { clientele: ownVersion(), ...Object.fromEntries(computingPackages.flatMap(versionOf)) },
  };
  return renderable(record, studyBundle(record));
}

/** The one place where a study touches the disk for its data: hash and size of a file. */
function fingerprint(path: string): StudyRecord["data"][number] {
  if (isAbsolute(path))
    throw new DataError(`study: data paths must be relative to the notebook, got ${path}`);
  if (!existsSync(path))
    throw new DataError(`study: data file ${path} must exist, seen from the notebook's folder`);
  const content = readFileSync(path);
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { path: path.replaceAll("\\", "/"), sha256, bytes: content.byteLength };
}

function requireJson(name: string, value: unknown): void {
  if (isJson(value)) return;
  throw new DataError(
    `study: parameter ${name} must be text, number, boolean, null or a list, got ${inspect(value)}`,
  );
}

const isJson = (value: unknown): boolean =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  Number.isFinite(value) ||
  (Array.isArray(value) && value.every(isJson));

/** Versions are read from the packages' own files; a package that is not installed does not compute. */
const require = createRequire(import.meta.url);

function ownVersion(): string {
  return (require("../../package.json") as { version: string }).version;
}

function versionOf(name: string): readonly (readonly [string, string])[] {
  const file = (require.resolve.paths(name) ?? [])
    .map((folder) => join(folder, name, "package.json"))
    .find(existsSync);
  return file === undefined ? [] : [[name, (require(file) as { version: string }).version]];
}

function studyBundle(record: StudyRecord): MimeBundle {
  const rows: readonly (readonly [string, string])[] = [
    ...record.data.map(
      ({ path, sha256, bytes }) =>
        ["data", `${path} (${bytes} bytes, SHA-256 ${sha256.slice(0, 12)}…)`] as const,
    ),
    ["seed", record.seed === null ? "none" : String(record.seed)],
    ["parameters", listOf(record.parameters, (value) => JSON.stringify(value)) || "none"],
    ["versions", listOf(record.versions, String)],
  ];
  const cells = rows.map(
    ([name, text]) =>
      `<tr><th style="text-align:left">${name}</th><td style="text-align:left">${escapeMarkup(text)}</td></tr>`,
  );
  return {
    "application/vnd.clientele.study+json": record,
    "text/html": `<details><summary>What this study depends on</summary>\n<table>\n${cells.join("\n")}\n</table>\n</details>`,
    "text/plain": [record.title, ...rows.map(([name, text]) => `${name.padEnd(10)}  ${text}`)].join("\n"),
  };
}

function listOf<Value>(record: Readonly<Record<string, Value>>, write: (value: Value) => string): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${write(value)}`)
    .join(", ");
}
