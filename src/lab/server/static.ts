import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, HttpError, type LabRequest, type Reply } from "./http.js";
import { contentType } from "./mime.js";
import { isInside, normalisePath } from "./paths.js";

/** A name with a content hash in it: whatever is behind it never changes. */
const HASHED = /[.\-_][0-9a-f]{8,}\./;

/** Precompressed forms, the smaller first: suffix and name of the encoding. */
const ENCODINGS: readonly (readonly [string, string])[] = [
  [".br", "br"],
  [".gz", "gzip"],
];

/**
 * A file of the built front end, precompressed if the browser takes it. Names with a hash are cached for good, others
 * are asked for again by ETag.
 * @throws HttpError 404 if there is no such file
 */
export async function staticFile(folder: string, path: string, request: LabRequest): Promise<Reply> {
  const accepted = new Set(
    (request.headers["accept-encoding"] ?? "").split(",").map((name) => name.split(";")[0]?.trim()),
  );
  const name = normalisePath(path);
  const root = await findPlace(folder);
  for (const [suffix, encoding] of [
    ...ENCODINGS.filter(([, known]) => accepted.has(known)),
    ["", ""] as const,
  ]) {
    const place = await findPlace(join(folder, `${name}${suffix}`));
    if (place === undefined || root === undefined || !isInside(root, place)) continue;
    const stats = await stat(place);
    if (!stats.isFile()) continue;
    const etag = `"${stats.mtimeMs.toString(36)}-${stats.size.toString(36)}${encoding && `-${encoding}`}"`;
    const headers = {
      "Content-Type": contentType(name),
      "Cache-Control": HASHED.test(name) ? "private, max-age=31536000, immutable" : "private, no-cache",
      Vary: "Accept-Encoding",
      ETag: etag,
      ...(encoding !== "" && { "Content-Encoding": encoding }),
    };
    if (request.headers["if-none-match"]?.split(/\s*,\s*/).includes(etag)) return { status: 304, headers };
    return {
      status: 200,
      headers: { ...headers, "Content-Length": String(stats.size) },
      body: createReadStream(place),
    };
  }
  throw new HttpError(404, `there is no ${name} in the front end; is it built?`);
}

async function findPlace(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * A file of the user's, for downloading or viewing in a tab of its own. It is shown without scripts and as if from
 * another origin, so an HTML file cannot use the login. (PDF viewers refuse a sandbox and are one themselves.)
 * @throws HttpError 404 if it is missing or a folder
 */
export async function userFile(place: string, name: string, download: boolean): Promise<Reply> {
  const stats = await stat(place);
  if (!stats.isFile()) throw new HttpError(404, `file does not exist: ${name}`);
  const isPdf = name.toLowerCase().endsWith(".pdf");
  return {
    status: 200,
    headers: {
      "Content-Type": contentType(name),
      "Content-Length": String(stats.size),
      "Cache-Control": "no-store",
      "Last-Modified": stats.mtime.toUTCString(),
      ...(!isPdf && { "Content-Security-Policy": "sandbox; frame-ancestors 'self'" }),
      ...(download && { "Content-Disposition": `attachment; filename*=UTF-8''${encodeRfc5987(name)}` }),
    },
    body: createReadStream(place),
  };
}

const encodeRfc5987 = (name: string): string =>
  encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
