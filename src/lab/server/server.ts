import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { writeFileAtomic } from "../files.js";
import { type KernelOptions, startKernel } from "../kernel/client.js";
import { createToken, Guard } from "./auth.js";
import { Contents } from "./contents.js";
import {
  errorCode,
  errorReply,
  errorText,
  HttpError,
  LabRequest,
  type Reply,
  redirect,
  tooLarge,
} from "./http.js";
import { KernelManager, type StartKernel } from "./kernels.js";
import { DEFAULT_LIMITS, type Limits } from "./limits.js";
import { loginPage } from "./page.js";
import { Root } from "./paths.js";
import type { Router } from "./router.js";
import { createRouter, plainPage } from "./routes.js";
import { Sessions } from "./sessions.js";
import { Settings } from "./settings.js";
import { Sockets } from "./sockets.js";
import { Notary } from "./trust.js";

/** How the server is started. */
export interface ServerOptions {
  /** Folder whose files are served. */
  readonly root: string;
  /** Folder of the built front end: `static/`, `themes/`, `schemas.json`. */
  readonly uiDir: string;
  /** Port on 127.0.0.1; 0 for any free one. Default: 8888, or the next free one. */
  readonly port?: number;
  /** Secret that lets a browser in. Default: a new random one. */
  readonly token?: string;
  /** How kernels are started. */
  readonly kernel?: Partial<KernelOptions>;
  /** Folder of the user's settings. Default: `settings` in `stateDir`. */
  readonly settingsDir?: string;
  /** Folder of trust signatures and their secret. Default: the user's folder for application state. */
  readonly stateDir?: string;
  /** Whether a spare kernel is kept ready. Default: true. */
  readonly warmKernel?: boolean;
  /** Bounds on sizes and output. */
  readonly limits?: Partial<Limits>;
  /** Takes lines for the terminal; the token is never among them. */
  readonly log?: (line: string) => void;
  /** Stand-ins for tests: how kernels are started, how files are written. */
  readonly parts?: { readonly startKernel?: StartKernel; readonly writeFile?: typeof writeFileAtomic };
}

/** A running server. */
export interface LabServer {
  /** Address for the browser, token included. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** Resolves when the server has ended, by `close` or by the browser's quit button. */
  readonly closed: Promise<void>;
  /** Ends kernels, connections and server. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 8888;
const PORTS_TO_TRY = 50;

/** Folder that new kernels are likely to be wanted in. */
const NOTEBOOK_FOLDER = "notebooks";

/**
 * Starts a Jupyter server on 127.0.0.1.
 * @throws Error if the root does not exist or the port is taken
 */
export async function startServer(options: ServerOptions): Promise<LabServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const log = options.log ?? (() => undefined);
  const stateDir = options.stateDir ?? defaultStateDir();
  const root = await Root.open(options.root);
  const notary = await Notary.open(stateDir);
  const folderOf = workingFolder(root);
  const spareCwd = options.warmKernel === false ? undefined : await folderOf(NOTEBOOK_FOLDER);
  const http = createServer({ keepAliveTimeout: 30_000 });
  const port = await listen(http, options.port);
  // From here on nothing waits: the first request finds everything in place.
  const token = options.token ?? createToken();
  const guard = new Guard(token, port);
  const contents = new Contents({
    root,
    notary,
    fileLimit: limits.fileBytes,
    log,
    ...(options.parts?.writeFile && { write: options.parts.writeFile }),
  });
  const kernels = new KernelManager({
    start: options.parts?.startKernel ?? startKernel,
    kernel: options.kernel ?? {},
    limits,
    spareCwd,
    log,
  });
  const sockets = new Sockets(guard, kernels, limits, log);
  let closing: Promise<void> | undefined;
  let ended: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const close = (): Promise<void> => {
    closing ??= (async () => {
      const stopped = new Promise((resolve) => http.close(resolve));
      await Promise.all([kernels.close(), contents.close()]);
      sockets.close();
      http.closeAllConnections();
      await stopped;
      ended();
    })();
    return closing;
  };
  const router = createRouter({
    root,
    uiDir: options.uiDir,
    contents,
    kernels,
    sessions: new Sessions(kernels, folderOf),
    settings: new Settings(options.uiDir, options.settingsDir ?? join(stateDir, "settings")),
    folderOf,
    logoutCookie: () => guard.logoutCookie(),
    shutdown: () => {
      setImmediate(() => void close());
    },
  });
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    await send(incoming, response, await replyTo(incoming, router, guard, limits, log));
  };
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    answer(incoming, response).catch((error: unknown) => {
      // A browser that stops a download is no news.
      if (errorCode(error) !== "ERR_STREAM_PREMATURE_CLOSE") {
        log(`${incoming.method ?? ""} ${pathOf(incoming)}: ${errorText(error)}`);
      }
      response.destroy();
    });
  };
  http.on("request", onRequest);
  http.on("checkContinue", (incoming: IncomingMessage, response: ServerResponse) => {
    if (announcedLength(incoming) <= limits.bodyBytes) response.writeContinue();
    onRequest(incoming, response);
  });
  http.on("upgrade", (incoming, socket, head) => {
    sockets.upgrade(incoming, socket, head);
  });
  return { url: `http://127.0.0.1:${String(port)}/tree?token=${token}`, port, token, closed, close };
}

/** The answer to a request: who asks, may they, and then the routes. Never throws. */
async function replyTo(
  incoming: IncomingMessage,
  router: Router,
  guard: Guard,
  limits: Limits,
  log: (line: string) => void,
): Promise<Reply> {
  try {
    const request = new LabRequest(incoming, limits.bodyBytes);
    guard.checkHost(request.headers);
    const credential = guard.credential(request.headers, request.query);
    const isPage = isPageRequest(request);
    if (!credential) {
      if (isPage) return { ...plainPage(loginPage(request.query.has("token"))), status: 401 };
      throw new HttpError(403, "Forbidden", "no valid token");
    }
    if (isPage && request.query.has("token")) return login(request, guard);
    if (isReading(request)) {
      if (!isPage) guard.checkReader(request.headers);
    } else {
      guard.checkOrigin(request.headers, credential);
    }
    if (announcedLength(incoming) > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
    return await router.handle(request);
  } catch (error) {
    if (error instanceof HttpError) {
      if (error.status >= 500) log(`${incoming.method ?? ""} ${pathOf(incoming)}: ${error.message}`);
      return errorReply(error);
    }
    log(
      `${incoming.method ?? ""} ${pathOf(incoming)}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return errorReply(new HttpError(500, `the server failed: ${errorText(error)}`, errorCode(error) ?? null));
  }
}

const isReading = (request: LabRequest): boolean => request.method === "GET" || request.method === "HEAD";

/** Whether a person, not a script, wants to see the answer. */
const isPageRequest = (request: LabRequest): boolean =>
  isReading(request) && /^\/(?:$|(?:tree|notebooks|edit|files|logout)(?:\/|$))/.test(request.path);

/** Logs the browser in and takes the token out of the address. */
function login(request: LabRequest, guard: Guard): Reply {
  const rest = new URLSearchParams(request.query);
  rest.delete("token");
  const query = rest.size > 0 ? `?${rest.toString()}` : "";
  // One slash: "//host" would lead to another server.
  const reply = redirect(`${request.path.replace(/^[/\\]+/, "/")}${query}`);
  return {
    ...reply,
    headers: { ...reply.headers, "Set-Cookie": guard.loginCookie(), "Cache-Control": "no-store" },
  };
}

const announcedLength = (incoming: IncomingMessage): number =>
  Number(incoming.headers["content-length"] ?? 0);

/** The path without the query, which may hold the token. */
const pathOf = (incoming: IncomingMessage): string => (incoming.url ?? "").split("?")[0] ?? "";

const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** How long a client that was refused may go on sending before the connection is cut, in milliseconds. */
const LINGER_MS = 2000;

async function send(incoming: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { body } = reply;
  response.writeHead(reply.status, {
    ...COMMON_HEADERS,
    ...(body === undefined && reply.status !== 204 && reply.status !== 304 && { "Content-Length": "0" }),
    ...reply.headers,
    ...(!incoming.complete && { Connection: "close" }),
  });
  if (body instanceof Readable && incoming.method !== "HEAD") {
    await pipeline(body, response);
  } else {
    if (body instanceof Readable) body.destroy();
    response.end(incoming.method === "HEAD" || body instanceof Readable ? undefined : body);
  }
  if (!incoming.complete) {
    // The rest of a refused body: thrown away for a moment, so that the client gets to read the answer.
    incoming.resume();
    const timer = setTimeout(() => incoming.destroy(), LINGER_MS);
    incoming.once("close", () => {
      clearTimeout(timer);
    });
  }
}

async function listen(server: Server, wanted: number | undefined): Promise<number> {
  const candidates =
    wanted === undefined ? Array.from({ length: PORTS_TO_TRY }, (_, i) => DEFAULT_PORT + i) : [wanted];
  for (const candidate of candidates) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host: "127.0.0.1", port: candidate }, () => {
          server.off("error", reject);
          resolve();
        });
      });
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : candidate;
    } catch (error) {
      if (errorCode(error) !== "EADDRINUSE") throw error;
    }
  }
  throw new Error(`no free port among ${candidates.join(", ")}: another program listens there`);
}

/** The folder of a notebook; the root if there is none, so that a kernel can always start. */
function workingFolder(root: Root): (path: string) => Promise<string> {
  const isFolder = (place: string): Promise<boolean> =>
    stat(place).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
  return async (path) => {
    try {
      const place = await root.resolve(path);
      if (await isFolder(place)) return place;
      const folder = dirname(place);
      return (await isFolder(folder)) ? folder : root.folder;
    } catch (error) {
      if (error instanceof HttpError) return root.folder;
      throw error;
    }
  };
}

/** Where applications keep what is neither configuration nor data. */
function defaultStateDir(): string {
  const { platform, env } = process;
  if (platform === "win32")
    return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "clientele");
  if (platform === "darwin") return join(homedir(), "Library", "Application Support", "clientele");
  return join(env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "clientele");
}
