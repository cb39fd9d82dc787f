import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { isRecord } from "../notebook/format.js";

/** An answer other than success: status, one sentence for the user, and Jupyter's optional short `reason`. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly reason: string | null;

  constructor(status: number, message: string, reason: string | null = null) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** What a handler answers. Handlers return it as a value; the server writes it. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}

/** A JSON answer that is never cached. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
    body: JSON.stringify(value),
  };
}

/** An answer without a body. */
export const empty = (status = 204): Reply => ({ status });

/** Sends the browser elsewhere on this server. */
export const redirect = (location: string): Reply => ({ status: 302, headers: { Location: location } });

/** An error in Jupyter's JSON form. */
export const errorReply = (error: HttpError): Reply =>
  json({ message: error.message, reason: error.reason }, error.status);

/** A request as handlers see it. `path` is still encoded; `params` are decoded once. */
export class LabRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  params: Readonly<Record<string, string>> = {};
  readonly #incoming: IncomingMessage;
  readonly #bodyLimit: number;

  /** @throws HttpError 400 if the request line names no path. */
  constructor(incoming: IncomingMessage, bodyLimit: number) {
    const target = incoming.url ?? "";
    if (!target.startsWith("/")) throw new HttpError(400, "the request must name a path that starts with /");
    const mark = target.indexOf("?");
    this.method = incoming.method ?? "GET";
    // Not `new URL`: it would resolve ".." before the confinement check sees it.
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1));
    this.headers = incoming.headers;
    this.#incoming = incoming;
    this.#bodyLimit = bodyLimit;
  }

  /** A decoded part of the path, "" if the route has none of that name. */
  param(name: string): string {
    return this.params[name] ?? "";
  }

  /**
   * The body as a JSON object; an empty body is an empty object.
   * @throws HttpError 400 if it is no JSON object, 413 if it is too large.
   */
  async json(): Promise<Record<string, unknown>> {
    const text = (await this.#body()).toString("utf8");
    if (text.trim() === "") return {};
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new HttpError(400, `the body is not valid JSON: ${error instanceof Error ? error.message : ""}`);
    }
    if (!isRecord(value)) throw new HttpError(400, "the body must be a JSON object");
    return value;
  }

  #body(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const onData = (chunk: Buffer): void => {
        size += chunk.length;
        if (size <= this.#bodyLimit) {
          chunks.push(chunk);
          return;
        }
        // Stop collecting; the server answers and closes the connection.
        this.#incoming.off("data", onData).pause();
        reject(tooLarge(this.#bodyLimit));
      };
      this.#incoming
        .on("data", onData)
        .once("end", () => {
          resolve(Buffer.concat(chunks));
        })
        .once("error", reject)
        .once("close", () => {
          reject(new HttpError(400, "the connection was closed before the whole body arrived"));
        });
    });
  }
}

/** The refusal of a body above the limit. */
export function tooLarge(limit: number): HttpError {
  return new HttpError(413, `the body is larger than ${megabytes(limit)}, the limit of this server`);
}

/** Bytes as whole megabytes, "100 MB". */
export const megabytes = (bytes: number): string => `${String(Math.max(1, Math.round(bytes / 1e6)))} MB`;

/** The code of a system error, "ENOENT" say, or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The sentence of any thrown value. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The answer to a failed file operation: 404 missing, 403 not allowed, 409 exists, 507 disk full, 400 impossible name.
 * Other errors come back as they are.
 */
export function fileError(error: unknown, path: string): unknown {
  switch (errorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return new HttpError(404, `file or folder does not exist: ${path}`);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new HttpError(403, `permission denied: ${path}`);
    case "EEXIST":
      return new HttpError(409, `already exists: ${path}`);
    case "ENOTEMPTY":
      return new HttpError(400, `folder is not empty: ${path}`);
    case "EISDIR":
      return new HttpError(400, `is a folder, not a file: ${path}`, "bad type");
    case "ENAMETOOLONG":
    case "EINVAL":
      return new HttpError(400, `not a possible name here: ${path}`);
    case "ENOSPC":
    case "EDQUOT":
      return new HttpError(
        507,
        `no space left on the disk: ${path} was not saved, the file on disk is unchanged`,
      );
    default:
      return error;
  }
}
