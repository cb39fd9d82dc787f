import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import {
  access,
  copyFile,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { DataError } from "../../core/errors.js";
import { writeFileAtomic } from "../files.js";
import { emptyNotebook, parseNotebook, readNotebook, serialiseNotebook } from "../notebook/format.js";
import {
  CHECKPOINT_FOLDER,
  type Checkpoint,
  createCheckpoint,
  deleteCheckpoint,
  listCheckpoints,
  moveCheckpoint,
  restoreCheckpoint,
} from "./checkpoints.js";
import { errorCode, errorText, fileError, HttpError, megabytes } from "./http.js";
import { Locks } from "./locks.js";
import { mimeType } from "./mime.js";
import { isHidden, normalisePath, type Root } from "./paths.js";
import { isTrustedThroughout, type Notary } from "./trust.js";
import { Uploads } from "./uploads.js";

type Kind = "directory" | "file" | "notebook";

/** A file or folder in Jupyter's JSON form. */
export interface Model {
  readonly name: string;
  readonly path: string;
  readonly type: Kind;
  readonly created: string;
  readonly last_modified: string;
  readonly writable: boolean;
  readonly size: number | null;
  readonly mimetype: string | null;
  readonly format: "json" | "text" | "base64" | null;
  readonly content: unknown;
  readonly hash: string | null;
  readonly hash_algorithm: string | null;
}

/** What of a file is asked for. */
export interface GetOptions {
  readonly content: boolean;
  readonly hash: boolean;
  readonly type?: Kind;
  readonly format?: "text" | "base64";
}

/** What contents are read, written and signed with. */
export interface ContentsOptions {
  readonly root: Root;
  readonly notary: Notary;
  /** Largest file that is sent as JSON, in bytes. */
  readonly fileLimit: number;
  readonly log: (line: string) => void;
  /** Replaced in tests that need a full disk. */
  readonly write?: typeof writeFileAtomic;
}

/** Names that a listing leaves out, beside hidden ones. */
const isUnlisted = (name: string): boolean =>
  name.startsWith(".") || name.endsWith("~") || name === "node_modules";

/** Reading and writing the served folder with the meaning that Jupyter's contents API gives it. */
export class Contents {
  readonly #root: Root;
  readonly #notary: Notary;
  readonly #fileLimit: number;
  readonly #log: (line: string) => void;
  readonly #write: typeof writeFileAtomic;
  readonly #locks = new Locks();
  readonly #uploads = new Uploads();

  constructor({ root, notary, fileLimit, log, write = writeFileAtomic }: ContentsOptions) {
    this.#root = root;
    this.#notary = notary;
    this.#fileLimit = fileLimit;
    this.#log = log;
    this.#write = write;
  }

  /**
   * A file with its content, or a folder with its listing.
   * @throws HttpError 404 missing or hidden, 400 not of the type or format asked for, 413 too large for a browser
   */
  async get(path: string, options: GetOptions): Promise<Model> {
    const normal = normalisePath(path);
    if (isHidden(normal)) throw new HttpError(404, `file or folder does not exist: ${normal}`);
    return this.#inPlace(normal, async () => {
      const place = await this.#root.resolve(normal);
      const stats = await stat(place);
      if (stats.isDirectory()) {
        if (options.type !== undefined && options.type !== "directory")
          throw badType(normal, "a folder", options.type);
        return this.#folder(normal, place, stats, options.content);
      }
      if (options.type === "directory") throw badType(normal, "a file", options.type);
      return this.#file(normal, place, stats, options);
    });
  }

  async #base(path: string, place: string, stats: Stats, type: Kind): Promise<Model> {
    const writable = await access(place, constants.W_OK).then(
      () => true,
      () => false,
    );
    return {
      name: basename(path),
      path,
      type,
      created: (stats.birthtimeMs > 0 ? stats.birthtime : stats.ctime).toISOString(),
      last_modified: stats.mtime.toISOString(),
      writable,
      size: type === "directory" ? null : stats.size,
      mimetype: null,
      format: null,
      content: null,
      hash: null,
      hash_algorithm: null,
    };
  }

  async #folder(path: string, place: string, stats: Stats, content: boolean): Promise<Model> {
    const base = await this.#base(path, place, stats, "directory");
    if (!content) return base;
    const names = (await readdir(place)).filter((name) => !isUnlisted(name)).sort();
    const models = await Promise.all(
      names.map((name) => this.#entry(path === "" ? name : `${path}/${name}`)),
    );
    return { ...base, format: "json", content: models.filter((model) => model !== undefined) };
  }

  /** One line of a listing; undefined for what cannot be opened anyway: sockets, broken links, links to the outside. */
  async #entry(path: string): Promise<Model | undefined> {
    try {
      const place = await this.#root.resolve(path);
      const stats = await stat(place);
      if (stats.isDirectory()) return await this.#base(path, place, stats, "directory");
      return stats.isFile() ? await this.#base(path, place, stats, kindOf(path)) : undefined;
    } catch (error) {
      if (error instanceof HttpError || errorCode(error) !== undefined) return undefined;
      throw error;
    }
  }

  async #file(path: string, place: string, stats: Stats, options: GetOptions): Promise<Model> {
    const type = options.type ?? kindOf(path);
    const base = await this.#base(path, place, stats, type);
    if (!stats.isFile()) throw new HttpError(400, `not a regular file: ${path}`);
    if (!options.content && !options.hash)
      return { ...base, mimetype: type === "file" ? (mimeType(path) ?? null) : null };
    if (stats.size > this.#fileLimit) {
      throw new HttpError(
        413,
        `${path} has ${megabytes(stats.size)}, too much to open in a browser; read it in a cell`,
      );
    }
    const bytes = await readFile(place);
    const hash = options.hash ? createHash("sha256").update(bytes).digest("hex") : null;
    const hashed = { ...base, hash, hash_algorithm: hash === null ? null : "sha256" };
    if (!options.content) return hashed;
    if (type === "notebook") {
      const notebook = await this.#notary.mark(parseNotebook(decodeText(bytes, path), path));
      return { ...hashed, format: "json", content: notebook };
    }
    return { ...hashed, ...fileContent(path, bytes, options.format) };
  }

  /**
   * Saves what a client sends: a whole file, a notebook, a folder, or a chunk of an upload.
   * @throws HttpError 400 malformed or hidden, 403 not allowed, 404 no such folder, 507 disk full (old file unchanged)
   */
  async save(
    path: string,
    body: Readonly<Record<string, unknown>>,
  ): Promise<{ model: Model; created: boolean }> {
    const normal = normalisePath(path);
    if (normal === "" || isHidden(normal)) throw new HttpError(400, `cannot save under this name: ${normal}`);
    const type = body["type"] === "directory" || body["type"] === "notebook" ? body["type"] : "file";
    return this.#inPlace(normal, async () => {
      const place = await this.#root.resolve(normal);
      await requireFolder(dirname(place), normal);
      return this.#locks.run(place, async () => {
        const existing = await statIfAny(place);
        if (existing && existing.isDirectory() !== (type === "directory")) {
          throw badType(normal, existing.isDirectory() ? "a folder" : "a file", type);
        }
        if (existing && type !== "directory") await access(place, constants.W_OK);
        let written = place;
        if (type === "directory") await mkdir(place, { recursive: true });
        else if (type === "notebook") await this.#saveNotebook(normal, place, body["content"]);
        else if (typeof body["chunk"] === "number") {
          written = await this.#uploads.add(place, body["chunk"], bytesOf(body));
        } else await this.#write(place, bytesOf(body));
        return { model: await this.#base(normal, written, await stat(written), type), created: !existing };
      });
    });
  }

  async #saveNotebook(path: string, place: string, content: unknown): Promise<void> {
    const notebook =
      content === undefined || content === null ? emptyNotebook() : readNotebook(content, path);
    await this.#write(place, serialiseNotebook(notebook));
    try {
      if (isTrustedThroughout(notebook)) await this.#notary.sign(notebook);
      if ((await listCheckpoints(place)).length === 0) await createCheckpoint(place);
    } catch (error) {
      // The notebook is saved; that it has no signature or checkpoint must not look as if it were not.
      this.#log(`${path} is saved, but not signed or without checkpoint: ${errorText(error)}`);
    }
  }

  /**
   * Creates an untitled notebook, file or folder in a folder. Without a kind the extension decides.
   * @throws HttpError 400 hidden, 404 no such folder
   */
  async createUntitled(folder: string, kind: string, extension: string): Promise<Model> {
    if (/[/\\\0]/.test(extension)) throw new HttpError(400, `not a file extension: ${extension}`);
    if (kind === "directory") {
      return this.#createNew(folder, "Untitled Folder", " ", "", (place) => mkdir(place));
    }
    if (kind === "notebook" || extension === ".ipynb") {
      const notebook = emptyNotebook();
      return this.#createNew(folder, "Untitled", "", ".ipynb", async (place) => {
        await writeFile(place, serialiseNotebook(notebook), { flag: "wx" });
        await this.#notary.sign(notebook);
      });
    }
    const suffix = kind === "file" ? extension || ".txt" : extension;
    return this.#createNew(folder, "untitled", "", suffix, (place) => writeFile(place, "", { flag: "wx" }));
  }

  /**
   * Copies a file or folder into a folder under a free name.
   * @throws HttpError 400 hidden, 403 not allowed, 404 missing
   */
  async copy(from: string, folder: string): Promise<Model> {
    const source = normalisePath(from);
    if (source === "" || isHidden(source)) throw new HttpError(400, `cannot copy ${source}`);
    return this.#inPlace(source, async () => {
      const place = await this.#root.resolve(source);
      const isFolder = (await stat(place)).isDirectory();
      const extension = isFolder ? "" : extname(source);
      const stem = basename(source, extension).replace(/-Copy\d*$/, "");
      const target = normalisePath(folder);
      const sameFolder = target === source.split("/").slice(0, -1).join("/");
      return this.#createNew(
        target,
        sameFolder ? `${stem}-Copy1` : stem,
        sameFolder ? undefined : "-Copy",
        extension,
        (copy) =>
          isFolder
            ? cp(place, copy, { recursive: true, errorOnExist: true, force: false })
            : copyFile(place, copy, constants.COPYFILE_EXCL),
      );
    });
  }

  /** Tries names until one is free; `create` must fail with EEXIST if the name is taken. */
  async #createNew(
    folder: string,
    stem: string,
    separator: string | undefined,
    extension: string,
    create: (place: string) => Promise<unknown>,
  ): Promise<Model> {
    const normal = normalisePath(folder);
    if (isHidden(normal)) throw new HttpError(400, `cannot create anything in ${normal}`);
    return this.#inPlace(normal, async () => {
      const parent = await this.#root.resolve(normal);
      await requireFolder(parent, normal);
      for (let number = 0; ; number++) {
        const name = `${numbered(stem, separator, number)}${extension}`;
        const place = join(parent, name);
        try {
          if (await statIfAny(place)) continue;
          await create(place);
        } catch (error) {
          if (errorCode(error) === "EEXIST" || errorCode(error) === "ERR_FS_CP_EEXIST") continue;
          throw error;
        }
        const path = normal === "" ? name : `${normal}/${name}`;
        const stats = await stat(place);
        return this.#base(path, place, stats, stats.isDirectory() ? "directory" : kindOf(path));
      }
    });
  }

  /**
   * Renames or moves a file or folder with its checkpoint.
   * @throws HttpError 400 hidden, 404 missing, 409 the new name is taken
   */
  async rename(from: string, to: string): Promise<Model> {
    const source = normalisePath(from);
    const target = normalisePath(to);
    if (isHidden(source) || isHidden(target))
      throw new HttpError(400, `cannot rename ${source} to ${target}`);
    return this.#inPlace(source, async () => {
      const oldPlace = await this.#root.resolveEntry(source);
      const newPlace = await this.#root.resolveEntry(target);
      if (oldPlace !== newPlace) {
        await lstat(oldPlace);
        await requireFolder(dirname(newPlace), target);
        if (await isOtherEntry(oldPlace, newPlace))
          throw new HttpError(409, `a file of this name exists: ${target}`);
        await rename(oldPlace, newPlace);
        await moveCheckpoint(oldPlace, newPlace);
      }
      return this.get(target, { content: false, hash: false });
    });
  }

  /**
   * Deletes a file, an empty folder, or a link (not its target). Nothing goes to a trash, so a folder with files stays.
   * @throws HttpError 400 folder not empty or hidden, 404 missing
   */
  async delete(path: string): Promise<void> {
    const normal = normalisePath(path);
    if (isHidden(normal)) throw new HttpError(400, `cannot delete ${normal}`);
    await this.#inPlace(normal, async () => {
      const place = await this.#root.resolveEntry(normal);
      if ((await lstat(place)).isDirectory()) {
        const names = await readdir(place);
        if (names.some((name) => name !== CHECKPOINT_FOLDER))
          throw new HttpError(400, `folder is not empty: ${normal}`);
        await rm(join(place, CHECKPOINT_FOLDER), { recursive: true, force: true });
        await rmdir(place);
      } else {
        await rm(place);
        await deleteCheckpoint(place);
      }
    });
  }

  /** Vouches for a notebook as it is on disk. @throws HttpError 400 if it is no notebook, 404 if it is missing */
  async trust(path: string): Promise<void> {
    const normal = normalisePath(path);
    await this.#inPlace(normal, async () => {
      const bytes = await readFile(await this.#visibleFile(normal));
      await this.#notary.sign(parseNotebook(decodeText(bytes, normal), normal));
    });
  }

  /** @throws HttpError 404 if the file is missing */
  async createCheckpoint(path: string): Promise<Checkpoint> {
    return this.#inPlace(path, async () => createCheckpoint(await this.#visibleFile(path)));
  }

  /** @throws HttpError 404 if the file is missing */
  async listCheckpoints(path: string): Promise<Checkpoint[]> {
    return this.#inPlace(path, async () => listCheckpoints(await this.#visibleFile(path)));
  }

  /** @throws HttpError 404 if there is no such checkpoint */
  async restoreCheckpoint(path: string, id: string): Promise<void> {
    await this.#inPlace(path, async () => {
      const place = await this.#visibleFile(path);
      await this.#locks.run(place, () => restoreCheckpoint(place, id));
    });
  }

  /** @throws HttpError 404 if the file is missing */
  async deleteCheckpoint(path: string): Promise<void> {
    await this.#inPlace(path, async () => deleteCheckpoint(await this.#visibleFile(path)));
  }

  /**
   * The place of a visible file, for reading it as it is.
   * @throws HttpError 404 if it is missing, hidden or a folder
   */
  async #visibleFile(path: string): Promise<string> {
    const normal = normalisePath(path);
    const place = await this.#root.resolve(normal);
    if (isHidden(normal) || !(await stat(place)).isFile())
      throw new HttpError(404, `file does not exist: ${normal}`);
    return place;
  }

  /** Drops unfinished uploads. */
  async close(): Promise<void> {
    await this.#uploads.close();
  }

  /** Runs a file operation and turns its failure into an answer the user understands. */
  async #inPlace<T>(path: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (error instanceof DataError) throw new HttpError(400, error.message, "unreadable notebook");
      throw fileError(error, path);
    }
  }
}

const kindOf = (path: string): Kind => (path.endsWith(".ipynb") ? "notebook" : "file");

const badType = (path: string, is: string, wanted: string): HttpError =>
  new HttpError(400, `${path} is ${is}, not a ${wanted}`, "bad type");

/** "Untitled", "Untitled1", …; without a separator the stem itself ends in the number: "a-Copy1", "a-Copy2", …. */
function numbered(stem: string, separator: string | undefined, number: number): string {
  if (separator === undefined) return stem.replace(/\d+$/, (first) => String(Number(first) + number));
  return number === 0 ? stem : `${stem}${separator}${String(number)}`;
}

async function statIfAny(place: string): Promise<Stats | undefined> {
  try {
    return await stat(place);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether the new name already belongs to something else (on some systems only the case differs). */
async function isOtherEntry(oldPlace: string, newPlace: string): Promise<boolean> {
  try {
    const [before, after] = await Promise.all([lstat(oldPlace), lstat(newPlace)]);
    return before.ino !== after.ino || before.dev !== after.dev;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function requireFolder(place: string, path: string): Promise<void> {
  if (!(await statIfAny(place))?.isDirectory())
    throw new HttpError(404, `the folder of ${path} does not exist`);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeText(bytes: Uint8Array, path: string): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new HttpError(400, `${path} is not UTF-8 encoded`, "bad format");
  return text;
}

/** As text if it is UTF-8, else as base64; a text that was asked for explicitly must be UTF-8. */
function fileContent(
  path: string,
  bytes: Buffer,
  format: GetOptions["format"],
): Pick<Model, "content" | "format" | "mimetype"> {
  const text = format === "base64" ? undefined : decodeUtf8(bytes);
  if (text !== undefined) return { content: text, format: "text", mimetype: mimeType(path) ?? "text/plain" };
  if (format === "text") throw new HttpError(400, `${path} is not UTF-8 encoded`, "bad format");
  const mimetype = mimeType(path) ?? "application/octet-stream";
  return { content: bytes.toString("base64"), format: "base64", mimetype };
}

function bytesOf(body: Readonly<Record<string, unknown>>): Buffer {
  const content = body["content"] ?? "";
  if (body["format"] === "json" && typeof content !== "string") return Buffer.from(JSON.stringify(content));
  if (typeof content !== "string") throw new HttpError(400, "the content of a file must be a string");
  if (body["format"] !== "base64") return Buffer.from(content, "utf8");
  if (/[^A-Za-z0-9+/=\s]/.test(content)) throw new HttpError(400, "the content is not valid base64");
  return Buffer.from(content, "base64");
}
