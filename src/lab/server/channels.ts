import type { WebSocket } from "ws";
import { errorText } from "./http.js";
import type { Kernel, KernelClient } from "./kernels.js";
import type { Limits } from "./limits.js";
import { BINARY_PROTOCOL, decodeBinary, decodeJson, Outgoing, publication } from "./protocol.js";

/** Bytes that are handed to the socket before waiting for it to take them. */
const IN_FLIGHT = 4e6;

/** Output that a browser which cannot keep up has to do without. Replies and states are always sent. */
const DROPPABLE = new Set(["stream", "display_data", "update_display_data"]);

/** Connects a websocket and a kernel in both directions until one of them ends. */
export function connectChannels(
  socket: WebSocket,
  kernel: Kernel,
  sessionId: string,
  limits: Pick<Limits, "socketBytes">,
  log: (line: string) => void,
): void {
  const client = new SocketClient(socket, sessionId, limits.socketBytes);
  const binary = socket.protocol === BINARY_PROTOCOL;
  socket.on("message", (data, isBinary) => {
    try {
      const frame = toBuffer(data);
      kernel.receive(binary ? decodeBinary(frame) : decodeJson(isBinary ? frame : frame.toString()));
    } catch (error) {
      log(`websocket of kernel ${kernel.id}: ${errorText(error)}`);
      socket.close(1007, "not a kernel message");
    }
  });
  socket.on("error", (error) => {
    log(`websocket of kernel ${kernel.id}: ${error.message}`);
  });
  socket.on("close", (code) => {
    kernel.detach(client, code === 1001); // 1001: the page is gone, and its session id with it
  });
  kernel.attach(client);
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** A browser on a websocket. Sends no faster than the browser reads. */
class SocketClient implements KernelClient {
  readonly sessionId: string;
  readonly #socket: WebSocket;
  readonly #limit: number;
  readonly #binary: boolean;
  #queue: (string | Buffer)[] = [];
  #queued = 0;
  #dropping = false;

  constructor(socket: WebSocket, sessionId: string, limit: number) {
    this.#socket = socket;
    this.sessionId = sessionId;
    this.#limit = limit;
    this.#binary = socket.protocol === BINARY_PROTOCOL;
  }

  deliver(outgoing: Outgoing): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const { message } = outgoing;
    if (this.#queued > this.#limit && DROPPABLE.has(message.header.msg_type)) {
      if (this.#dropping) return;
      this.#dropping = true;
      const text = "\n[clientele] output dropped: the browser does not keep up\n";
      const content = { name: "stderr", text };
      this.#push(new Outgoing(publication("stream", content, message.header.session, message.parent_header)));
      return;
    }
    this.#push(outgoing);
  }

  close(code: number, reason: string): void {
    this.#flush();
    this.#socket.close(code, reason);
  }

  #push(outgoing: Outgoing): void {
    const data = this.#binary ? outgoing.binary : outgoing.json;
    this.#queue.push(data);
    this.#queued += data.length;
    this.#pump();
    if (this.#queued > 2 * this.#limit) this.#socket.terminate(); // it can reconnect and go on
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#socket.bufferedAmount < IN_FLIGHT) this.#sendFirst();
    if (this.#queued < this.#limit / 2) this.#dropping = false;
  }

  #flush(): void {
    while (this.#queue.length > 0) this.#sendFirst();
  }

  #sendFirst(): void {
    const data = this.#queue.shift();
    if (data === undefined) return;
    this.#queued -= data.length;
    this.#socket.send(data, () => {
      this.#pump();
    });
  }
}
