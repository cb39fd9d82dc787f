import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import type { KernelOptions } from "../kernel/client.js";
import type { KernelMessage } from "../kernel/wire.js";
import { OutputGate } from "./flow.js";
import { errorText, HttpError } from "./http.js";
import type { Limits } from "./limits.js";
import { Outgoing, parentSession, publication } from "./protocol.js";

/** What the server needs of a kernel process; tests put a stand-in here. */
export interface KernelHandle {
  readonly alive: boolean;
  send(message: KernelMessage): void;
  interrupt(): void;
  shutdown(): Promise<void>;
  on(event: "message", listener: MessageListener): unknown;
  once(event: "exit", listener: ExitListener): unknown;
  off(event: "message", listener: MessageListener): unknown;
  off(event: "exit", listener: ExitListener): unknown;
}

type MessageListener = (message: KernelMessage) => void;
type ExitListener = (code: number | null, signal: NodeJS.Signals | null) => void;

/** Starts a kernel process; resolves when it answers. */
export type StartKernel = (options: KernelOptions) => Promise<KernelHandle>;

/** A websocket connection as a kernel sees it. */
export interface KernelClient {
  /** Id the browser chose for itself; it keeps it when it reconnects. */
  readonly sessionId: string;
  deliver(outgoing: Outgoing): void;
  close(code: number, reason: string): void;
}

/** Execution states of Jupyter; `autorestarting` is known to the REST interface alone. */
export type KernelState = "starting" | "idle" | "busy" | "restarting" | "autorestarting" | "dead";

/** A kernel in Jupyter's JSON form. */
export interface KernelModel {
  readonly id: string;
  readonly name: string;
  readonly last_activity: string;
  readonly execution_state: KernelState;
  readonly connections: number;
  readonly reason?: string;
}

/** A kernel that dies this often within this time stays dead. */
const DEATHS = 5;
const DEATHS_WITHIN_MS = 60_000;
/** Messages that wait for a starting kernel. */
const QUEUE_LENGTH = 10_000;
/** Browsers that are remembered after they lost their connection. */
const AWAY = 4;

interface Replay {
  readonly messages: Outgoing[];
  bytes: number;
}

type Spawn = (cwd: string, signal: AbortSignal) => Promise<KernelHandle>;

/**
 * One kernel with its clients. Exists at once, while its process still starts: messages wait. When the process dies it
 * starts another; messages for a client that lost its connection are kept for its return.
 */
export class Kernel {
  readonly id = randomUUID();
  readonly name: string;
  readonly cwd: string;
  readonly #spawn: Spawn;
  readonly #limits: Limits;
  readonly #log: (line: string) => void;
  readonly #gate: OutputGate;
  readonly #clients = new Set<KernelClient>();
  readonly #away = new Map<string, Replay>();
  readonly #sessions = new Set<string>();
  readonly #abort = new AbortController();
  #handle: KernelHandle | undefined;
  #queue: KernelMessage[] = [];
  #state: KernelState = "starting";
  #reason: string | undefined;
  #lastActivity = new Date();
  #kernelSession = "";
  #deaths: number[] = [];
  /** The start, restart or shutdown under way; each waits for the one before. */
  #transition: Promise<void>;

  constructor(name: string, cwd: string, spawn: Spawn, limits: Limits, log: (line: string) => void) {
    this.name = name;
    this.cwd = cwd;
    this.#spawn = spawn;
    this.#limits = limits;
    this.#log = log;
    this.#gate = new OutputGate((message) => {
      this.#deliver(message);
    }, limits);
    this.#transition = this.#launch().catch((error: unknown) => {
      this.#giveUp(errorText(error));
    });
  }

  get state(): KernelState {
    return this.#state;
  }

  /** Resolves when no start or restart is under way. */
  async settled(): Promise<void> {
    await this.#transition;
  }

  /** The kernel in Jupyter's JSON form. */
  model(): KernelModel {
    return {
      id: this.id,
      name: this.name,
      last_activity: this.#lastActivity.toISOString(),
      execution_state: this.#state,
      connections: this.#clients.size,
      ...(this.#reason !== undefined && { reason: this.#reason }),
    };
  }

  /** Adds a client; one that comes back first gets what it missed. */
  attach(client: KernelClient): void {
    // A browser that reconnects before its old connection is seen to be gone.
    for (const other of this.#clients) {
      if (client.sessionId !== "" && other.sessionId === client.sessionId) {
        this.detach(other);
        other.close(4000, "replaced by a new connection");
      }
    }
    this.#gate.flush();
    const missed = this.#away.get(client.sessionId);
    this.#away.delete(client.sessionId);
    this.#clients.add(client);
    this.#sessions.add(client.sessionId);
    for (const outgoing of missed?.messages ?? []) client.deliver(outgoing);
    if (["busy", "starting", "dead"].includes(this.#state)) client.deliver(this.#status(this.#state));
  }

  /** Removes a client; what comes for it from now on is kept, within bounds, unless it left for good. */
  detach(client: KernelClient, forGood = false): void {
    if (!this.#clients.delete(client) || forGood || client.sessionId === "") return;
    this.#gate.flush();
    this.#away.set(client.sessionId, { messages: [], bytes: 0 });
    const [oldest] = this.#away.keys();
    if (this.#away.size > AWAY && oldest !== undefined) this.#away.delete(oldest);
  }

  /** Passes a client's message on, or keeps it until the kernel is up. */
  receive(message: KernelMessage): void {
    if (this.#state === "dead" || message.channel === "iopub") return;
    this.#sessions.add(message.header.session);
    this.#lastActivity = new Date();
    if (this.#handle) this.#handle.send(message);
    else if (this.#queue.length < QUEUE_LENGTH) this.#queue.push(message);
  }

  /** Stops the running cell. */
  interrupt(): void {
    this.#handle?.interrupt();
  }

  /**
   * Ends the process and starts another in the same folder. A kernel that was given up begins anew.
   * @throws HttpError 500 if it does not start; the kernel is dead then
   */
  async restart(): Promise<void> {
    if (this.#state === "starting") {
      await this.#transition; // it is about to be as new as can be
      return;
    }
    await this.#next(async () => {
      this.#state = "restarting";
      this.#reason = undefined;
      this.#deaths = [];
      this.#queue = [];
      await this.#end();
      this.#away.clear();
      this.#broadcastStatus("starting");
      try {
        await this.#launch();
      } catch (error) {
        this.#giveUp(errorText(error));
        throw new HttpError(500, `the kernel did not restart: ${errorText(error)}`);
      }
    });
  }

  /** Ends the process for good and lets every client go. */
  async shutdown(): Promise<void> {
    this.#abort.abort();
    await this.#next(async () => {
      await this.#end();
      this.#state = "dead";
      this.#broadcastStatus("dead");
      for (const client of this.#clients) client.close(1000, "the kernel was shut down");
      this.#clients.clear();
      this.#away.clear();
      this.#queue = [];
    });
  }

  /** Runs after every transition before it, and becomes the one that others wait for. */
  #next(transition: () => Promise<void>): Promise<void> {
    const mine = this.#transition.then(transition);
    this.#transition = mine.catch(() => undefined);
    return mine;
  }

  async #launch(): Promise<void> {
    const handle = await this.#spawn(this.cwd, this.#abort.signal);
    if (this.#abort.signal.aborted || !handle.alive) {
      await handle.shutdown();
      throw new Error(this.#abort.signal.aborted ? "the kernel was shut down" : "the kernel died at once");
    }
    this.#handle = handle;
    this.#state = "idle";
    handle.on("message", this.#onMessage);
    handle.once("exit", this.#onExit);
    const waiting = this.#queue;
    this.#queue = [];
    if (waiting.length === 0) this.#broadcastStatus("idle");
    for (const message of waiting) handle.send(message);
  }

  readonly #onMessage = (message: KernelMessage): void => {
    const asker = parentSession(message);
    // Answers to questions that no client asked: the probes that found the kernel ready.
    if (asker !== undefined && !this.#sessions.has(asker)) return;
    this.#lastActivity = new Date();
    this.#kernelSession = message.header.session;
    if (message.header.msg_type === "status") {
      const state = message.content["execution_state"];
      if (state === "idle" || state === "busy") this.#state = state;
    }
    this.#gate.push(message);
  };

  readonly #onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
    this.#log(`kernel ${this.id} died (${signal ?? `exit code ${String(code)}`})`);
    void this.#next(() => this.#revive());
  };

  /** After a death: other processes until one stays, or too many have died. */
  async #revive(): Promise<void> {
    await this.#end();
    while (!this.#abort.signal.aborted) {
      const now = Date.now();
      this.#deaths = [...this.#deaths.filter((time) => now - time < DEATHS_WITHIN_MS), now];
      if (this.#deaths.length >= DEATHS) {
        this.#giveUp(`the kernel died ${String(DEATHS)} times within a minute`);
        return;
      }
      this.#state = "autorestarting";
      // On the wire it is "restarting"; the client makes "autorestarting" of it and reconnects.
      this.#broadcastStatus("restarting");
      try {
        await this.#launch();
        return;
      } catch (error) {
        this.#log(`kernel ${this.id} did not start again: ${errorText(error)}`);
      }
    }
  }

  #giveUp(reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#log(`kernel ${this.id} is dead: ${reason}`);
    this.#state = "dead";
    this.#reason = reason;
    this.#queue = [];
    this.#broadcastStatus("dead");
  }

  /** Takes leave of the present process and waits for its end: it may hold files that the next one needs. */
  async #end(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#gate.reset();
    if (!handle) return;
    handle.off("message", this.#onMessage);
    handle.off("exit", this.#onExit);
    await handle.shutdown();
  }

  #status(state: string): Outgoing {
    return new Outgoing(publication("status", { execution_state: state }, this.#kernelSession));
  }

  #broadcastStatus(state: string): void {
    const outgoing = this.#status(state);
    for (const client of this.#clients) client.deliver(outgoing);
  }

  /** Publications go to everybody, replies to whoever asked. */
  #deliver(message: KernelMessage): void {
    const outgoing = new Outgoing(message);
    const asker = message.channel === "iopub" ? undefined : parentSession(message);
    const isFor = (sessionId: string): boolean =>
      asker === undefined || sessionId === "" || sessionId === asker;
    for (const client of this.#clients) if (isFor(client.sessionId)) client.deliver(outgoing);
    for (const [sessionId, replay] of this.#away) {
      if (!isFor(sessionId)) continue;
      replay.messages.push(outgoing);
      replay.bytes += outgoing.binary.length;
      while (replay.bytes > this.#limits.replayBytes)
        replay.bytes -= replay.messages.shift()?.binary.length ?? 0;
    }
  }
}

/** How kernels are started and kept. */
export interface KernelManagerOptions {
  readonly start: StartKernel;
  readonly kernel: Partial<KernelOptions>;
  readonly limits: Limits;
  /** Folder a spare kernel is started in, until another folder is used; undefined for no spare kernel. */
  readonly spareCwd: string | undefined;
  readonly log: (line: string) => void;
}

interface Spare {
  readonly cwd: string;
  readonly abort: AbortController;
  readonly handle: Promise<KernelHandle | undefined>;
}

/** Pause before a used spare kernel is replaced, so that the page loading now has the processor, in milliseconds. */
const SPARE_DELAY_MS = 3000;

/** All kernels of a server, and a warm spare one that makes opening and restarting a notebook quick. */
export class KernelManager {
  readonly #options: KernelManagerOptions;
  readonly #kernels = new Map<string, Kernel>();
  readonly #ending = new Set<Promise<void>>();
  #spare: Spare | undefined;
  #spareTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: KernelManagerOptions) {
    this.#options = options;
    if (options.spareCwd !== undefined) this.#warm(options.spareCwd);
  }

  /** A new kernel in this folder. It is there at once and starts in the background. */
  create(name: string, cwd: string): Kernel {
    if (this.#closed) throw new HttpError(503, "the server is shutting down");
    const kernel = new Kernel(
      name,
      cwd,
      (folder, signal) => this.#take(folder, signal),
      this.#options.limits,
      this.#options.log,
    );
    this.#kernels.set(kernel.id, kernel);
    return kernel;
  }

  /** @throws HttpError 404 if there is no such kernel */
  get(id: string): Kernel {
    const kernel = this.#kernels.get(id);
    if (!kernel) throw new HttpError(404, `Kernel does not exist: ${id}`);
    return kernel;
  }

  has(id: string): boolean {
    return this.#kernels.has(id);
  }

  list(): Kernel[] {
    return [...this.#kernels.values()];
  }

  /** Forgets the kernel and ends it. It is gone for everybody before its process is. */
  async remove(id: string): Promise<void> {
    const kernel = this.get(id);
    this.#kernels.delete(id);
    const ending = kernel.shutdown();
    this.#ending.add(ending);
    await ending.finally(() => this.#ending.delete(ending));
  }

  /** Ends every kernel, the spare one and those still starting or ending. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#spareTimer);
    await Promise.all([
      ...[...this.#kernels.keys()].map((id) => this.remove(id)),
      ...this.#ending,
      this.#dropSpare(),
    ]);
  }

  /** A kernel process for this folder: the spare one if it fits. */
  async #take(cwd: string, signal: AbortSignal): Promise<KernelHandle> {
    const { start, kernel, spareCwd } = this.#options;
    if (!(await isFolder(cwd))) throw new Error(`the folder of the notebook is gone: ${cwd}`);
    const spare = this.#spare?.cwd === cwd ? this.#spare : undefined;
    if (spare) {
      this.#spare = undefined;
      signal.addEventListener("abort", () => {
        spare.abort.abort();
      });
    }
    try {
      const ready = await spare?.handle;
      if (ready?.alive) return ready;
      await ready?.shutdown();
      return await start({ ...kernel, cwd, signal });
    } finally {
      if (spareCwd !== undefined && !this.#closed) {
        clearTimeout(this.#spareTimer);
        this.#spareTimer = setTimeout(() => {
          this.#warm(cwd);
        }, SPARE_DELAY_MS);
        this.#spareTimer.unref();
      }
    }
  }

  /** Starts a spare kernel in the folder used last, which is the likeliest to be used next. */
  #warm(cwd: string): void {
    if (this.#closed || this.#spare?.cwd === cwd) return;
    void this.#dropSpare();
    const abort = new AbortController();
    const handle = this.#options
      .start({ ...this.#options.kernel, cwd, signal: abort.signal })
      .catch((error: unknown) => {
        if (!abort.signal.aborted) this.#options.log(`spare kernel: ${errorText(error)}`);
        return undefined;
      });
    this.#spare = { cwd, abort, handle };
  }

  async #dropSpare(): Promise<void> {
    const spare = this.#spare;
    this.#spare = undefined;
    if (!spare) return;
    spare.abort.abort();
    const ending = spare.handle.then((kernel) => kernel?.shutdown());
    this.#ending.add(ending);
    await ending.finally(() => this.#ending.delete(ending));
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
