import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Guard } from "./auth.js";
import { connectChannels } from "./channels.js";
import { errorText, HttpError, LabRequest } from "./http.js";
import type { KernelManager } from "./kernels.js";
import type { Limits } from "./limits.js";
import { BINARY_PROTOCOL } from "./protocol.js";

/** A browser that answers no ping for this long is gone, in milliseconds. */
const HEARTBEAT_MS = 30_000;

const CHANNELS = /^\/api\/kernels\/([^/]+)\/channels$/;

/** The server's websockets: the channels of the kernels, and an event stream that stays silent. */
export class Sockets {
  readonly #server: WebSocketServer;
  readonly #guard: Guard;
  readonly #kernels: KernelManager;
  readonly #limits: Limits;
  readonly #log: (line: string) => void;
  readonly #unanswered = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(guard: Guard, kernels: KernelManager, limits: Limits, log: (line: string) => void) {
    this.#guard = guard;
    this.#kernels = kernels;
    this.#limits = limits;
    this.#log = log;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: limits.frameBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(BINARY_PROTOCOL) ? BINARY_PROTOCOL : false),
    });
    this.#heartbeat = setInterval(() => {
      this.#ping();
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** Answers an upgrade request: a websocket, or an HTTP error. */
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => undefined); // a client that goes away is no news
    try {
      const connect = this.#route(new LabRequest(incoming, 0));
      this.#server.handleUpgrade(incoming, socket, head, (websocket) => {
        websocket.on("pong", () => this.#unanswered.delete(websocket));
        connect(websocket);
      });
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      if (status === 500) this.#log(`upgrade: ${errorText(error)}`);
      socket.end(
        `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
    }
  }

  /** What to do with the websocket. @throws HttpError 403 for a stranger, 404 for an unknown place */
  #route(request: LabRequest): (socket: WebSocket) => void {
    this.#guard.checkHost(request.headers);
    const credential = this.#guard.credential(request.headers, request.query);
    if (!credential) throw new HttpError(403, "Forbidden");
    this.#guard.checkOrigin(request.headers, credential);
    if (request.path === "/api/events/subscribe") return (socket) => socket.on("error", () => undefined);
    const id = CHANNELS.exec(request.path)?.[1];
    if (id === undefined) throw new HttpError(404, "Not Found");
    const kernel = this.#kernels.get(id);
    const sessionId = request.query.get("session_id") ?? "";
    return (socket) => {
      connectChannels(socket, kernel, sessionId, this.#limits, this.#log);
    };
  }

  #ping(): void {
    for (const socket of this.#server.clients) {
      if (this.#unanswered.has(socket)) socket.terminate();
      this.#unanswered.add(socket);
      socket.ping();
    }
  }

  /** Closes every websocket. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const socket of this.#server.clients) {
      socket.close(1001, "the server stops");
      socket.terminate();
    }
    this.#server.close();
  }
}
