import { lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { errorCode, fileError, HttpError } from "./http.js";

/**
 * An API path in its one form: segments joined by "/", no leading, trailing or double slash.
 * @throws HttpError 403 for "..", 400 for a NUL byte (and for a backslash or colon on Windows).
 */
export function normalisePath(path: string): string {
  if (path.includes("\0")) throw new HttpError(400, "a path must not contain a NUL byte");
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) throw outside(path);
  if (process.platform === "win32" && segments.some((segment) => /[\\:]/.test(segment))) {
    throw new HttpError(400, `a file name must not contain \\ or a colon here: ${path}`);
  }
  return segments.join("/");
}

/** Whether any part of the path is hidden, that is, starts with a dot. */
export const isHidden = (path: string): boolean => path.split("/").some((segment) => segment.startsWith("."));

const outside = (path: string): HttpError => new HttpError(403, `outside of the served folder: ${path}`);

/** Whether the absolute path is the folder itself or lies in it. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The served folder. Every file name that comes over the wire goes through it. */
export class Root {
  /** Absolute and without symbolic links. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws Error if the folder does not exist. */
  static async open(folder: string): Promise<Root> {
    const real = await realpath(folder);
    if (!(await stat(real)).isDirectory()) throw new Error(`${folder} is not a folder`);
    return new Root(real);
  }

  /**
   * The absolute place of an API path, symbolic links followed; the file itself need not exist.
   * @throws HttpError 403 if it lies outside of the folder, a link into the void included.
   */
  async resolve(path: string): Promise<string> {
    const real = await realPlace(join(this.folder, normalisePath(path)), path);
    if (!isInside(this.folder, real)) throw outside(path);
    return real;
  }

  /**
   * The place of the directory entry itself: as `resolve`, but a link at the end is not followed, so that deleting
   * or renaming touches the link and not its target.
   * @throws HttpError 403 as `resolve`, 400 for the root itself.
   */
  async resolveEntry(path: string): Promise<string> {
    const normal = normalisePath(path);
    if (normal === "")
      throw new HttpError(400, "the served folder itself cannot be deleted, renamed or replaced");
    return join(await this.resolve(dirname(normal) === "." ? "" : dirname(normal)), basename(normal));
  }

  /** The API path of an absolute place inside. */
  apiPath(place: string): string {
    return relative(this.folder, place).split(sep).join("/");
  }
}

/** The real path of the nearest ancestor that exists, and the missing rest behind it. */
async function realPlace(place: string, path: string): Promise<string> {
  const missing: string[] = [];
  let existing = place;
  for (;;) {
    try {
      await lstat(existing);
      break;
    } catch (error) {
      if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR") throw fileError(error, path);
      missing.unshift(basename(existing));
      existing = dirname(existing);
    }
  }
  try {
    return join(await realpath(existing), ...missing);
  } catch (error) {
    // The entry exists but its target does not: a dangling link, or links in a circle.
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ELOOP") throw outside(path);
    throw fileError(error, path);
  }
}
