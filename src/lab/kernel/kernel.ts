/**
 * A complete Jupyter kernel around tslab's compiler and executor: everything tslab's own server leaves out
 * (`execute_input`, `execute_result`, `error`, aborts, history, comm replies) and no output lost.
 * @module
 * @see https://jupyter-client.readthedocs.io/en/stable/messaging.html
 */
import { randomUUID } from "node:crypto";
import { format } from "node:util";
import { Publisher, Router } from "zeromq";
import { requestClose, STATE } from "./control.js";
import {
  CellPositions,
  cellFileName,
  compileFailure,
  type Diagnostic,
  type Failure,
  thrownFailure,
} from "./failure.js";
import type { DisplayData, Executor, ExecutorConsole, Tslab, TslabHooks } from "./tslab.js";
import {
  type ConnectionInfo,
  createHeader,
  decodeFrames,
  encodeFrames,
  type KernelMessage,
  PROTOCOL_VERSION,
} from "./wire.js";

/** Printed text is sent in pieces of this size, or after this time. */
const STREAM_CHARACTERS = 64 * 1024;
const STREAM_MS = 30;
const MESSAGE_CHARACTERS = 1024 * 1024;
const DIAGNOSTIC_FORMAT = "%s%d:%d - %s";

interface Request {
  readonly message: KernelMessage;
  readonly identities: readonly Buffer[];
}

/** What `kernel_info_request` is answered with. */
export function kernelInfo(typescriptVersion: string): Record<string, unknown> {
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "clientele-tslab",
    implementation_version: "1.0.22",
    banner: `TypeScript ${typescriptVersion} on Node ${process.version}, tslab 1.0.22 started by Clientele`,
    language_info: {
      name: "typescript",
      version: typescriptVersion,
      mimetype: "text/typescript",
      file_extension: ".ts",
      codemirror_mode: { name: "javascript", typescript: true },
    },
    help_links: [],
  };
}

/** The kernel's main thread: shell requests in, results on iopub. */
export class Kernel {
  readonly #connection: ConnectionInfo;
  readonly #root: string;
  readonly #info: Readonly<Record<string, unknown>>;
  readonly #state: Int32Array;
  readonly #session = randomUUID();
  // No limit and no waiting: within one tick ZeroMQ would otherwise refuse what exceeds its queue.
  readonly #iopub = new Publisher({ sendHighWaterMark: 0, sendTimeout: 0, linger: 500 });
  readonly #shell = new Router({ sendHighWaterMark: 0, sendTimeout: 0, linger: 500 });
  readonly #stdin = new Router();
  readonly #positions = new CellPositions();
  readonly #history: { line: number; source: string }[] = [];
  readonly #waiting: Request[] = [];
  #tslab: Tslab | undefined;
  #executor: Executor | undefined;
  #parent: KernelMessage["parent_header"] = {};
  #busy = false;
  /** Executions counted and shown, and those that are silent. */
  #count = 0;
  #silentCount = 0;
  /** The running cell: its count, or a negative number when it is silent. */
  #cell = 0;
  #failedAt = 0;
  #failure: Failure | undefined;
  #diagnostics: Diagnostic[] = [];
  #stream = { name: "stdout", text: "", since: 0 };
  #streamTimer: NodeJS.Timeout | undefined;

  constructor(
    connection: ConnectionInfo,
    root: string,
    state: SharedArrayBuffer,
    info: Readonly<Record<string, unknown>>,
  ) {
    this.#connection = connection;
    this.#info = info;
    this.#root = root;
    this.#state = new Int32Array(state);
  }

  /** What the patched tslab reports to. */
  readonly hooks: TslabHooks = {
    cellFileName: () => {
      Atomics.store(this.#state, STATE.running, this.#cell);
      return cellFileName(this.#cell);
    },
    sourceMap: (step, json) => {
      this.#positions.add(this.#cell, step, json);
    },
  };

  /** Binds the sockets and answers requests from now on. */
  async start(tslab: Tslab): Promise<void> {
    this.#tslab = tslab;
    this.#executor = tslab.createExecutor(this.#console);
    this.#captureOutput();
    const address = (port: number): string =>
      `${this.#connection.transport}://${this.#connection.ip}:${String(port)}`;
    await Promise.all([
      this.#iopub.bind(address(this.#connection.iopub_port)),
      this.#shell.bind(address(this.#connection.shell_port)),
      this.#stdin.bind(address(this.#connection.stdin_port)),
    ]);
    for await (const frames of this.#shell) {
      try {
        this.#receive(decodeFrames(frames, this.#connection.key, "shell"));
      } catch (error) {
        process.stderr.write(`${format(error)}\n`);
      }
    }
  }

  /** Stops the running cell; its state stays. */
  interrupt(): void {
    this.#executor?.interrupt();
  }

  /** Ends the process, by way of its other thread. */
  shutdown(): void {
    this.#executor?.close();
    requestClose(this.#state);
  }

  /** Sends an error nobody awaited to the cell that ran last. */
  reportUnhandled(what: string, reason: unknown): void {
    const { traceback } = thrownFailure(reason, this.#positions, this.#root);
    this.#write("stderr", `${what}: ${traceback.join("\n")}\n`);
  }

  // ---- output

  #captureOutput(): void {
    const write =
      (name: "stdout" | "stderr") =>
      (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
        this.#write(name, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
        const done = typeof encoding === "function" ? encoding : callback;
        if (typeof done === "function") process.nextTick(done);
        return true;
      };
    process.stdout.write = write("stdout");
    process.stderr.write = write("stderr");
    this.#tslab?.setDisplayWriter((data, update) => {
      this.#display(data, update);
    });
  }

  #write(name: "stdout" | "stderr", text: string): void {
    const stream = this.#stream;
    if (stream.name !== name) this.flush();
    if (stream.text === "") stream.since = performance.now();
    stream.name = name;
    stream.text += text;
    if (stream.text.length >= STREAM_CHARACTERS || performance.now() - stream.since >= STREAM_MS)
      this.flush();
    else {
      this.#streamTimer ??= setTimeout(() => {
        this.flush();
      }, STREAM_MS);
    }
  }

  /** Sends the text that was printed and not yet sent. */
  flush(): void {
    clearTimeout(this.#streamTimer);
    this.#streamTimer = undefined;
    const { name, text } = this.#stream;
    if (text === "") return;
    this.#stream.text = "";
    // One huge text would hold up whoever has to parse the message.
    for (let start = 0; start < text.length; start += MESSAGE_CHARACTERS) {
      this.#publish("stream", { name, text: text.slice(start, start + MESSAGE_CHARACTERS) }, this.#parent);
    }
  }

  #display({ data, metadata, transient }: DisplayData, update: boolean): void {
    const id = transient?.display_id;
    const content = { data, metadata, transient: id === undefined ? {} : { display_id: id } };
    this.#publish(update ? "update_display_data" : "display_data", content, this.#parent);
  }

  #publish(msgType: string, content: Record<string, unknown>, parent: KernelMessage["parent_header"]): void {
    if (msgType !== "stream") this.flush();
    const message = {
      header: createHeader(msgType, this.#session),
      parent_header: parent,
      metadata: {},
      content,
      buffers: [],
    };
    void this.#iopub.send([`kernel.${msgType}`, ...encodeFrames(message, this.#connection.key)]);
  }

  #reply({ message, identities }: Request, content: Readonly<Record<string, unknown>>): void {
    const reply = {
      header: createHeader(message.header.msg_type.replace("_request", "_reply"), this.#session),
      parent_header: message.header,
      metadata: {},
      content,
      buffers: [],
    };
    void this.#shell.send(encodeFrames(reply, this.#connection.key, identities));
  }

  #status(state: "busy" | "idle", request: Request): void {
    this.#publish("status", { execution_state: state }, request.message.header);
  }

  // ---- requests

  #receive(request: Request): void {
    if (request.message.header.msg_type === "execute_request") {
      this.#waiting.push(request);
      if (!this.#busy) void this.#work();
      return;
    }
    this.#status("busy", request);
    try {
      const content = this.#answer(request.message);
      if (content) this.#reply(request, content);
    } catch (error) {
      this.#reply(request, { status: "error", ...thrownFailure(error, this.#positions, this.#root) });
    }
    this.#status("idle", request);
    if (request.message.header.msg_type === "shutdown_request") this.shutdown();
  }

  #answer({ header, content }: KernelMessage): Readonly<Record<string, unknown>> | undefined {
    switch (header.msg_type) {
      case "kernel_info_request":
        return this.#info;
      case "complete_request":
        return this.#complete(String(content["code"]), Number(content["cursor_pos"]));
      case "inspect_request":
        return this.#inspect(String(content["code"]), Number(content["cursor_pos"]));
      case "is_complete_request":
        return this.#isComplete(String(content["code"]));
      case "history_request":
        return { status: "ok", history: this.#pastInputs(content) };
      case "comm_info_request":
        return { status: "ok", comms: {} };
      case "comm_open":
        this.#publish("comm_close", { comm_id: content["comm_id"], data: {} }, header);
        return undefined;
      case "shutdown_request":
        return { status: "ok", restart: content["restart"] === true };
      case "interrupt_request":
        this.interrupt();
        return { status: "ok" };
      default:
        return undefined;
    }
  }

  #complete(code: string, cursor: number): Record<string, unknown> {
    const found = this.#executor?.complete(code, cursor);
    return {
      status: "ok",
      matches: found?.candidates ?? [],
      cursor_start: found?.start ?? cursor,
      cursor_end: found?.end ?? cursor,
      metadata: {},
    };
  }

  #inspect(code: string, cursor: number): Record<string, unknown> {
    const found = this.#executor?.inspect(code, cursor);
    const text = found && this.#tslab ? this.#tslab.printQuickInfo(found) : "";
    return {
      status: "ok",
      found: text !== "",
      data: text === "" ? {} : { "text/plain": text },
      metadata: {},
    };
  }

  #isComplete(code: string): Record<string, unknown> {
    const { completed, indent } = this.#tslab?.isCompleteCode(code) ?? { completed: true };
    return completed ? { status: "complete" } : { status: "incomplete", indent: indent ?? "" };
  }

  #pastInputs(content: Record<string, unknown>): [number, number, string][] {
    const { n, hist_access_type: access, pattern, start, stop } = content;
    let entries = this.#history;
    if (access === "range") {
      const [from, to] = [Number(start ?? 0), Number(stop ?? Number.POSITIVE_INFINITY)];
      entries = entries.filter(({ line }) => line >= from && line < to);
    } else if (access === "search" && typeof pattern === "string") {
      const wanted = pattern.replaceAll("*", "");
      entries = entries.filter(({ source }) => source.includes(wanted));
    }
    const last = typeof n === "number" ? entries.slice(-n) : entries;
    return last.map(({ line, source }) => [0, line, source]);
  }

  // ---- execution

  async #work(): Promise<void> {
    this.#busy = true;
    for (let request = this.#waiting.shift(); request; request = this.#waiting.shift()) {
      // What was sent before the last failure became known is not run: "run all" stops at the failing cell.
      if (Date.parse(request.message.header.date) < this.#failedAt) this.#abort(request);
      else await this.#execute(request);
      // Lets requests that have arrived meanwhile be read before the next cell keeps the thread busy.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#busy = false;
  }

  #abort(request: Request): void {
    this.#status("busy", request);
    this.#reply(request, { status: "aborted" });
    this.#status("idle", request);
  }

  async #execute(request: Request): Promise<void> {
    const { header, content } = request.message;
    const code = String(content["code"]);
    this.flush();
    this.#parent = header;
    this.#failure = undefined;
    this.#diagnostics = [];
    const silent = content["silent"] === true;
    if (silent) this.#silentCount += 1;
    else this.#count += 1;
    this.#cell = silent ? -this.#silentCount : this.#count;
    this.#status("busy", request);
    if (!silent && content["store_history"] !== false) this.#history.push({ line: this.#cell, source: code });
    if (content["silent"] !== true)
      this.#publish("execute_input", { code, execution_count: this.#cell }, header);
    const failure = await this.#run(code);
    if (failure) {
      this.#publish("error", { ...failure }, header);
      if (content["stop_on_error"] !== false) this.#failedAt = Date.now();
    }
    const count = { execution_count: this.#count };
    this.flush();
    this.#reply(
      request,
      failure
        ? { status: "error", ...count, ...failure }
        : { status: "ok", ...count, user_expressions: {}, payload: [] },
    );
    this.#status("idle", request);
  }

  async #run(code: string): Promise<Failure | undefined> {
    Atomics.store(this.#state, STATE.cell, this.#cell);
    try {
      const ok = await this.#executor?.execute(code);
      if (this.#diagnostics.length > 0) return compileFailure(this.#diagnostics, this.#cell, code);
      return ok === true
        ? undefined
        : (this.#failure ?? { ename: "Error", evalue: "the cell failed", traceback: [] });
    } catch (error) {
      return thrownFailure(error, this.#positions, this.#root);
    } finally {
      Atomics.store(this.#state, STATE.cell, 0);
      Atomics.store(this.#state, STATE.running, 0);
    }
  }

  readonly #console: ExecutorConsole = {
    log: (value) => {
      const data = { "text/plain": format(value) };
      const content = { execution_count: this.#cell, data, metadata: {} };
      this.#publish("execute_result", content, this.#parent);
    },
    error: (...values) => {
      const [template, fileName, line, column, message] = values;
      if (template === DIAGNOSTIC_FORMAT) {
        this.#diagnostics.push({
          fileName: String(fileName).trim(),
          line: Number(line),
          column: Number(column),
          message: String(message),
        });
      } else {
        this.#failure = thrownFailure(template, this.#positions, this.#root);
      }
    },
  };
}
