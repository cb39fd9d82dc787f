import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../files.js";
import { isRecord } from "../notebook/format.js";
import { errorCode, HttpError } from "./http.js";

/** Settings of one plugin in JupyterLab's JSON form: its schema and what the user wrote. */
export interface PluginSettings {
  readonly id: string;
  readonly schema: unknown;
  readonly version: string;
  readonly raw: string;
  readonly settings: unknown;
  readonly created: string | null;
  readonly last_modified: string | null;
}

interface Schema {
  readonly schema: unknown;
  readonly version: string;
}

/** Must be known before others: it listens to them. */
const FIRST = "@jupyterlab/shortcuts-extension:shortcuts";

/** What the user set in the front end, a file for each plugin and each configuration section. */
export class Settings {
  readonly #schemaFile: string;
  readonly #folder: string;
  #schemas = new Map<string, Schema>();
  #schemasRead = -1;

  constructor(uiDir: string, settingsDir: string) {
    this.#schemaFile = join(uiDir, "schemas.json");
    this.#folder = settingsDir;
  }

  /** Every plugin with settings. */
  async list(): Promise<PluginSettings[]> {
    const ids = [...(await this.#readSchemas()).keys()].sort(
      (a, b) => Number(b === FIRST) - Number(a === FIRST) || (a < b ? -1 : 1),
    );
    return Promise.all(ids.map((id) => this.get(id)));
  }

  /** @throws HttpError 404 for a plugin without schema */
  async get(id: string): Promise<PluginSettings> {
    const { schema, version } = await this.#schema(id);
    const file = this.#fileOf(id);
    const [raw, stats] = await Promise.all([readIfAny(file), stat(file).catch(() => undefined)]);
    return {
      id,
      schema,
      version,
      raw: raw ?? "{}",
      settings: parseLoose(raw ?? "{}"),
      created: stats?.birthtime.toISOString() ?? null,
      last_modified: stats?.mtime.toISOString() ?? null,
    };
  }

  /** Saves what the user wrote, comments included. @throws HttpError 404 for a plugin without schema, 400 for no text */
  async save(id: string, raw: unknown): Promise<void> {
    await this.#schema(id);
    if (typeof raw !== "string") throw new HttpError(400, `settings of ${id} must be sent as the text "raw"`);
    await writeFileAtomic(this.#fileOf(id), raw);
  }

  /** A section of Jupyter's configuration; empty until something was saved. @throws HttpError 404 for an odd name */
  async section(name: string): Promise<Record<string, unknown>> {
    const value = parseLoose((await readIfAny(this.#sectionFile(name))) ?? "{}");
    return isRecord(value) ? value : {};
  }

  /** Merges changes into a section; null removes a key. @throws HttpError 404 for an odd name */
  async updateSection(
    name: string,
    changes: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const merged = merge(await this.section(name), changes);
    await writeFileAtomic(this.#sectionFile(name), `${JSON.stringify(merged, null, 2)}\n`);
    return merged;
  }

  async #schema(id: string): Promise<Schema> {
    const schema = (await this.#readSchemas()).get(id);
    if (!schema) throw new HttpError(404, `there are no settings for ${id}`);
    return schema;
  }

  /** The schemas of the built front end, read again when it was built again. */
  async #readSchemas(): Promise<Map<string, Schema>> {
    const changed = (await stat(this.#schemaFile).catch(() => undefined))?.mtimeMs;
    if (changed === undefined || changed === this.#schemasRead) return this.#schemas;
    const parsed: unknown = JSON.parse(await readFile(this.#schemaFile, "utf8"));
    this.#schemas = new Map(
      Object.entries(isRecord(parsed) ? parsed : {}).map(([id, entry]) => [
        id,
        {
          schema: isRecord(entry) ? entry["schema"] : {},
          version: isRecord(entry) && typeof entry["version"] === "string" ? entry["version"] : "",
        },
      ]),
    );
    this.#schemasRead = changed;
    return this.#schemas;
  }

  /** Only ids with a schema get here, so the name is one of the front end's; encoded, it is one file name. */
  #fileOf(id: string): string {
    return join(this.#folder, `${encodeURIComponent(id)}.json5`);
  }

  #sectionFile(name: string): string {
    if (!/^[\w-]+$/.test(name)) throw new HttpError(404, `there is no configuration section ${name}`);
    return join(this.#folder, `section-${name}.json`);
  }
}

async function readIfAny(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * JSON with comments and trailing commas. Anything else JSON5 allows gives an empty object here; the front end reads
 * the raw text itself.
 */
function parseLoose(text: string): unknown {
  const bare = text
    .replace(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_, quoted: string | undefined) => quoted ?? "",
    )
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, quoted: string | undefined) => quoted ?? "");
  try {
    return JSON.parse(bare);
  } catch {
    return {};
  }
}

function merge(
  base: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changed = Object.entries(changes).map(([key, value]): [string, unknown] => {
    const present = base[key];
    return [key, isRecord(value) && isRecord(present) ? merge(present, value) : value];
  });
  return Object.fromEntries([...Object.entries(base), ...changed].filter(([key]) => changes[key] !== null));
}
