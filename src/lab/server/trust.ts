/**
 * Notebook trust as Jupyter's nbformat has it: what this user ran or vouched for is signed; a notebook from elsewhere
 * is not, so its HTML and JavaScript outputs stay inert until it is run here or explicitly trusted.
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";
import { appendFile, chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../files.js";
import { type CodeCell, type Notebook, type Output, serialiseNotebook } from "../notebook/format.js";
import { errorCode } from "./http.js";

/** Output that cannot act: nothing in it is interpreted as markup or code. Plotly cleans the texts of a figure itself. */
const INERT_TYPES = new Set([
  "text/plain",
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/bmp",
  "application/json",
  "application/vnd.plotly.v1+json",
]);

function isInert(output: Output): boolean {
  if (output.output_type === "stream" || output.output_type === "error") return true;
  return Object.keys(output.data).every((type) => INERT_TYPES.has(type));
}

const codeCells = (notebook: Notebook): CodeCell[] =>
  notebook.cells.filter((cell) => cell.cell_type === "code");

const hasInertOutputs = (cell: CodeCell): boolean => cell.outputs.every(isInert);

/** Whether every code cell is marked as trusted or has nothing to distrust: then a saved notebook may be signed. */
export function isTrustedThroughout(notebook: Notebook): boolean {
  return codeCells(notebook).every((cell) => cell.metadata["trusted"] === true || hasInertOutputs(cell));
}

/** Bound of the signature store; beyond it the oldest quarter is forgotten, as in nbformat. */
const DEFAULT_CAPACITY = 65_536;

/** The signatures of trusted notebooks and the secret they are made with. */
export class Notary {
  readonly #secret: Buffer;
  readonly #file: string;
  readonly #capacity: number;
  #signatures = new Set<string>();
  #size = -1;

  private constructor(secret: Buffer, file: string, capacity: number) {
    this.#secret = secret;
    this.#file = file;
    this.#capacity = capacity;
  }

  /**
   * Opens the store in this folder, creating folder and secret (readable by the user alone) when they are missing.
   * @throws the file system's own error
   */
  static async open(stateDir: string, capacity = DEFAULT_CAPACITY): Promise<Notary> {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const notary = new Notary(
      await readSecret(join(stateDir, "notebook-secret")),
      join(stateDir, "signatures"),
      capacity,
    );
    await notary.#read();
    return notary;
  }

  /** HMAC-SHA256 over the notebook as it is written to disk, which has no trust marks. */
  #signature(notebook: Notebook): string {
    return createHmac("sha256", this.#secret).update(serialiseNotebook(notebook)).digest("hex");
  }

  /** Whether exactly this notebook was signed, here or by another server of the same user. */
  async isSigned(notebook: Notebook): Promise<boolean> {
    const signature = this.#signature(notebook);
    if (!this.#signatures.has(signature)) await this.#read();
    return this.#signatures.has(signature);
  }

  /** Remembers the notebook as trusted. */
  async sign(notebook: Notebook): Promise<void> {
    const signature = this.#signature(notebook);
    if (this.#signatures.has(signature)) return;
    // One short line: appending is atomic, so two servers can share the file.
    await appendFile(this.#file, `${signature}\n`, { mode: 0o600 });
    this.#signatures.add(signature);
    if (this.#signatures.size > this.#capacity) await this.#cull();
  }

  /** The same notebook with `metadata.trusted` set on every code cell: signed, or nothing to distrust. */
  async mark(notebook: Notebook): Promise<Notebook> {
    const signed = await this.isSigned(notebook);
    return {
      ...notebook,
      cells: notebook.cells.map((cell) =>
        cell.cell_type === "code"
          ? { ...cell, metadata: { ...cell.metadata, trusted: signed || hasInertOutputs(cell) } }
          : cell,
      ),
    };
  }

  async #read(): Promise<void> {
    try {
      const { size } = await stat(this.#file);
      if (size === this.#size) return;
      const lines = (await readFile(this.#file, "utf8")).split("\n");
      this.#signatures = new Set(lines.filter((line) => /^[0-9a-f]{64}$/.test(line)));
      this.#size = size;
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }

  async #cull(): Promise<void> {
    const kept = [...this.#signatures].slice(-Math.ceil(this.#capacity * 0.75));
    this.#signatures = new Set(kept);
    await writeFileAtomic(this.#file, kept.map((line) => `${line}\n`).join(""));
    await chmod(this.#file, 0o600);
  }
}

async function readSecret(file: string): Promise<Buffer> {
  try {
    await writeFile(file, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const secret = await readFile(file);
  if (secret.length < 32) throw new Error(`${file} is too short to sign with; delete it to get a new one`);
  await chmod(file, 0o600);
  return secret;
}
