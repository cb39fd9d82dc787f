import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dealer, Subscriber } from "zeromq";
import {
  type Channel,
  type ConnectionInfo,
  createHeader,
  decodeFrames,
  encodeFrames,
  type KernelMessage,
} from "./wire.js";

export type { Channel, KernelMessage, MessageHeader } from "./wire.js";

/** How a kernel is started. */
export interface KernelOptions {
  /** Working folder of the kernel: the notebook's own. */
  readonly cwd: string;
  /** Environment variables added to the present ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Command line with `{connection_file}`; default: the project's launcher. */
  readonly argv?: readonly string[];
  /** How long the kernel may take to answer first, in milliseconds. Default 60,000. */
  readonly startupTimeoutMs?: number;
  /** Cancels the start. */
  readonly signal?: AbortSignal;
}

interface KernelEvents {
  message: [KernelMessage];
  exit: [code: number | null, signal: NodeJS.Signals | null];
}

const LOG_LIMIT = 64 * 1024;
const CHANNELS: readonly Channel[] = ["shell", "control", "stdin", "iopub"];
/** How often a starting kernel is asked whether it hears. */
const ASK_MS = 250;

/** Command line of the launcher that comes with this package. */
export function launcherArgv(): readonly string[] {
  // From src (tests) as from dist the compiled launcher is the one to run.
  const launcher = fileURLToPath(new URL("../../../dist/lab/kernel/launcher.js", import.meta.url));
  return [process.execPath, launcher, "{connection_file}"];
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function createConnection(): Promise<ConnectionInfo> {
  const [shell = 0, iopub = 0, stdin = 0, control = 0, hb = 0] = await freePorts(5);
  return {
    transport: "tcp",
    ip: "127.0.0.1",
    shell_port: shell,
    iopub_port: iopub,
    stdin_port: stdin,
    control_port: control,
    hb_port: hb,
    key: randomBytes(32).toString("hex"),
    signature_scheme: "hmac-sha256",
    kernel_name: "tslab",
  };
}

/**
 * Starts a kernel process and waits until it answers on every channel.
 * @throws Error if the kernel dies or does not answer in time, with the last lines it printed.
 */
export async function startKernel(options: KernelOptions): Promise<KernelProcess> {
  options.signal?.throwIfAborted();
  const connection = await createConnection();
  const connectionFile = join(tmpdir(), `clientele-kernel-${randomUUID()}.json`);
  await writeFile(connectionFile, JSON.stringify(connection), { mode: 0o600, flag: "wx" });
  const kernel = new KernelProcess(connection, connectionFile, options);
  try {
    await kernel.ready(options.startupTimeoutMs ?? 60_000, options.signal);
    return kernel;
  } catch (error) {
    await kernel.shutdown();
    throw error;
  }
}

/** A running kernel and its channels. `message` tells every message it sends, `exit` its end. */
export class KernelProcess extends EventEmitter<KernelEvents> {
  readonly #connection: ConnectionInfo;
  readonly #connectionFile: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #session = randomUUID();
  readonly #sockets: { shell: Dealer; control: Dealer; stdin: Dealer; iopub: Subscriber };
  /** Channels whose socket has met the kernel's. */
  readonly #met = new Set<Channel>();
  #log = "";
  #closed = false;

  constructor(connection: ConnectionInfo, connectionFile: string, options: KernelOptions) {
    super();
    this.setMaxListeners(0);
    this.#connection = connection;
    this.#connectionFile = connectionFile;
    const [command = process.execPath, ...args] = (options.argv ?? launcherArgv()).map((argument) =>
      argument.replace("{connection_file}", connectionFile),
    );
    this.#process = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, JPY_PARENT_PID: String(process.pid), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-LOG_LIMIT);
      });
    }
    this.#exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        resolve();
        this.emit("exit", code, signal);
      };
      this.#process.once("exit", ended);
      this.#process.once("error", (error) => {
        this.#log += error.message;
        ended(null, null);
      });
    });
    const dealer = (): Dealer => new Dealer({ linger: 0, sendHighWaterMark: 0, reconnectInterval: 20 });
    this.#sockets = {
      shell: dealer(),
      control: dealer(),
      stdin: dealer(),
      iopub: new Subscriber({ linger: 0, receiveHighWaterMark: 0, reconnectInterval: 20 }),
    };
    this.#sockets.iopub.subscribe();
    for (const channel of CHANNELS) {
      this.#sockets[channel].events.on("handshake", () => this.#met.add(channel));
      this.#sockets[channel].connect(`tcp://127.0.0.1:${String(connection[`${channel}_port`])}`);
      void this.#listen(channel);
    }
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Whether the process still runs. */
  get alive(): boolean {
    return (
      this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  /** What the process wrote outside the protocol, its last 64 kB. */
  get log(): string {
    return this.#log;
  }

  async #listen(channel: Channel): Promise<void> {
    try {
      for await (const frames of this.#sockets[channel]) this.#hear(channel, frames);
    } catch (error) {
      if (!this.#closed) this.#log += `${channel}: ${String(error)}\n`;
    }
  }

  /** A message nobody can read, or a listener that throws, ends neither the channel nor the process. */
  #hear(channel: Channel, frames: readonly Buffer[]): void {
    try {
      this.emit("message", decodeFrames(frames, this.#connection.key, channel).message);
    } catch (error) {
      this.#log += `${channel}: ${String(error)}\n`;
    }
  }

  /**
   * Resolves when the kernel has answered on shell and been heard on iopub. It is asked from a moment after it opened
   * its last channel: a stock tslab that hears a request while it is still binding stays deaf for good.
   */
  async ready(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const missing = new Set<Channel>(["shell", "iopub"]);
      let open = false;
      const again = setInterval(() => {
        if (open) this.send(this.#message("shell", "kernel_info_request", {}));
        open = this.#met.size === CHANNELS.length;
      }, ASK_MS);
      const finish = (error?: Error): void => {
        clearInterval(again);
        clearTimeout(timer);
        this.off("message", heard);
        this.off("exit", died);
        signal?.removeEventListener("abort", cancelled);
        if (error) reject(error);
        else resolve();
      };
      const heard = (message: KernelMessage): void => {
        missing.delete(message.channel);
        if (missing.size === 0) finish();
      };
      const died = (): void => {
        finish(new Error(`the kernel died while starting:\n${this.#log.trimEnd()}`));
      };
      const cancelled = (): void => {
        finish(new Error("the start of the kernel was cancelled"));
      };
      const timer = setTimeout(() => {
        finish(
          new Error(
            `the kernel did not answer within ${String(timeoutMs / 1000)} s:\n${this.#log.trimEnd()}`,
          ),
        );
      }, timeoutMs);
      this.on("message", heard);
      this.once("exit", died);
      signal?.addEventListener("abort", cancelled);
    });
  }

  #message(channel: Channel, msgType: string, content: object): KernelMessage {
    return {
      channel,
      header: createHeader(msgType, this.#session),
      parent_header: {},
      metadata: {},
      content: { ...content },
      buffers: [],
    };
  }

  /** Sends a message on its channel. A message to a dead kernel is dropped. */
  send(message: KernelMessage): void {
    if (message.channel === "iopub")
      throw new RangeError("iopub only publishes; send on shell, control or stdin");
    if (this.#closed) return;
    this.#sockets[message.channel].send(encodeFrames(message, this.#connection.key)).catch(() => undefined);
  }

  /**
   * Sends a request and resolves with its reply.
   * @throws Error if the kernel dies or does not reply in time (default: no limit).
   */
  request(
    channel: "shell" | "control",
    msgType: string,
    content: object,
    options: { timeoutMs?: number } = {},
  ): Promise<KernelMessage> {
    return this.#ask(channel, msgType, content, options.timeoutMs).reply;
  }

  #death(msgType: string): Error {
    const { exitCode, signalCode } = this.#process;
    const how = signalCode === null ? `exit code ${exitCode ?? "unknown"}` : `signal ${signalCode}`;
    const log = this.#log.trimEnd();
    return new Error(`the kernel ended during ${msgType} (${how})${log === "" ? "" : `:\n${log}`}`);
  }

  #ask(
    channel: "shell" | "control",
    msgType: string,
    content: object,
    timeoutMs?: number,
  ): { request: KernelMessage; reply: Promise<KernelMessage> } {
    const request = this.#message(channel, msgType, content);
    const reply = new Promise<KernelMessage>((resolve, reject) => {
      if (!this.alive) {
        reject(this.#death(msgType));
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        this.off("message", heard);
        this.off("exit", died);
      };
      const heard = (message: KernelMessage): void => {
        if (message.channel !== channel || message.parent_header.msg_id !== request.header.msg_id) return;
        finish();
        resolve(message);
      };
      const died = (): void => {
        finish();
        reject(this.#death(msgType));
      };
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              finish();
              reject(new Error(`no reply to ${msgType} within ${timeoutMs} ms`));
            }, timeoutMs);
      this.on("message", heard);
      this.once("exit", died);
    });
    this.send(request);
    return { request, reply };
  }

  /**
   * Executes code, hands over every message it causes, and resolves with the reply once the kernel is idle again.
   * @throws Error if the kernel dies or does not end in time (default: no limit).
   */
  async execute(
    content: { readonly code: string; readonly [option: string]: unknown },
    onMessage: (message: KernelMessage) => void,
    timeoutMs?: number,
  ): Promise<KernelMessage> {
    let idle = (): void => undefined;
    const isIdle = new Promise<void>((resolve) => {
      idle = resolve;
    });
    const { request, reply } = this.#ask("shell", "execute_request", content, timeoutMs);
    const heard = (message: KernelMessage): void => {
      if (message.parent_header.msg_id !== request.header.msg_id) return;
      onMessage(message);
      if (message.header.msg_type === "status" && message.content["execution_state"] === "idle") idle();
    };
    this.on("message", heard);
    this.once("exit", idle);
    try {
      const answer = await reply;
      await isIdle;
      return answer;
    } finally {
      this.off("message", heard);
      this.off("exit", idle);
    }
  }

  /** Stops the running cell and keeps the state. */
  interrupt(): void {
    this.send(this.#message("control", "interrupt_request", {}));
  }

  /** Ends the process: asks first, kills after a second, removes the connection file. */
  async shutdown(): Promise<void> {
    if (this.alive) {
      this.send(this.#message("control", "shutdown_request", { restart: false }));
      const timer = setTimeout(() => this.#process.kill("SIGKILL"), 1000);
      await this.#exited;
      clearTimeout(timer);
    }
    if (!this.#closed) {
      this.#closed = true;
      for (const socket of Object.values(this.#sockets)) socket.close();
    }
    await rm(this.#connectionFile, { force: true });
  }
}
