/**
 * The kernel's second thread: answers heartbeats and the control channel while a cell keeps the main thread busy,
 * interrupts cells, and ends the process when its parent is gone.
 * @module
 */
import { Session } from "node:inspector";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Reply, Router } from "zeromq";
import { type ConnectionInfo, createHeader, decodeFrames, encodeFrames } from "./wire.js";

/** What the two threads tell each other, by index into the shared state. */
export const STATE = {
  /** Number of the cell that is being executed, 0 for none. */
  cell: 0,
  /** The same once it is compiled and its code runs. */
  running: 1,
  /** 1: the main thread wants to exit; 2: this thread has closed its sockets and reads none any more. */
  closing: 2,
} as const;

/** Shared state with all its fields. */
export const STATE_BYTES = 12;

/** Asks the other thread to close its sockets and end. */
export function requestClose(state: Int32Array): void {
  if (Atomics.compareExchange(state, STATE.closing, 0, 1) === 0) Atomics.notify(state, STATE.closing);
}

/** Waits until the other thread has closed: ZeroMQ aborts a process that ends while a thread holds sockets. */
export function closeControl(state: Int32Array): void {
  requestClose(state);
  Atomics.wait(state, STATE.closing, 1, CLOSE_MS);
}

/** What this thread tells the main one. */
export type ControlNotice = "ready" | "interrupt" | "shutdown";

/** What this thread is started with. */
export interface ControlData {
  readonly connection: ConnectionInfo;
  readonly kernelInfo: Record<string, unknown>;
  readonly session: string;
  readonly state: SharedArrayBuffer;
  readonly parentPid: number;
}

const INTERRUPT_STEP_MS = 200;
const INTERRUPT_STEPS = 50;
const SHUTDOWN_GRACE_MS = 700;
const PARENT_CHECK_MS = 1000;
const CLOSE_MS = 500;

const tell = (notice: ControlNotice): void => {
  parentPort?.postMessage(notice);
};

/** A signal reaches code that vm runs at once; where there are no signals the main thread is asked. */
function signalMainThread(): void {
  if (process.platform === "win32") tell("interrupt");
  else process.kill(process.pid, "SIGINT");
}

/** Ends the JavaScript that runs on the main thread now, wherever it is; state is kept. */
function terminateMainThread(): void {
  const session = new Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => {
    session.disconnect();
  });
}

/** Interrupts the cell that runs now: by signal first, by force when it never gives the thread back. */
async function interruptCell(state: Int32Array): Promise<void> {
  const cell = Atomics.load(state, STATE.cell);
  if (cell === 0) return;
  signalMainThread();
  for (let step = 1; step <= INTERRUPT_STEPS; step += 1) {
    await sleep(INTERRUPT_STEP_MS);
    if (Atomics.load(state, STATE.cell) !== cell) return;
    if (Atomics.load(state, STATE.running) !== cell) continue; // still compiling: the signal would be lost on it
    if (step % 2 === 1) signalMainThread();
    else terminateMainThread();
  }
}

const die = (): void => {
  process.kill(process.pid, "SIGKILL");
};

async function serveControl(data: ControlData, state: Int32Array, socket: Router): Promise<void> {
  const { connection, kernelInfo, session } = data;
  await socket.bind(`${connection.transport}://${connection.ip}:${String(connection.control_port)}`);
  tell("ready");
  for await (const frames of socket) {
    const { identities, message } = decodeFrames(frames, connection.key, "control");
    const type = message.header.msg_type;
    const contents: Record<string, Record<string, unknown>> = {
      interrupt_request: { status: "ok" },
      shutdown_request: { status: "ok", restart: message.content["restart"] === true },
      kernel_info_request: kernelInfo,
    };
    const content = contents[type];
    if (!content) continue;
    const reply = {
      header: createHeader(type.replace("_request", "_reply"), session),
      parent_header: message.header,
      metadata: {},
      content,
      buffers: [],
    };
    await socket.send(encodeFrames(reply, connection.key, identities));
    if (type === "interrupt_request") void interruptCell(state);
    if (type === "shutdown_request") {
      tell("shutdown");
      setTimeout(die, SHUTDOWN_GRACE_MS).unref();
    }
  }
}

async function serveHeartbeat({ connection }: ControlData, socket: Reply): Promise<void> {
  await socket.bind(`${connection.transport}://${connection.ip}:${String(connection.hb_port)}`);
  for await (const frames of socket) await socket.send(frames);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A kernel whose parent died would stay for ever: nobody could stop it any more. */
function watchParent(parentPid: number): NodeJS.Timeout {
  const firstParent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== firstParent || !isAlive(parentPid)) die();
  }, PARENT_CHECK_MS);
}

if (parentPort) {
  const data = workerData as ControlData;
  const state = new Int32Array(data.state);
  const control = new Router({ linger: 100 });
  const heartbeat = new Reply({ linger: 0 });
  const watch = watchParent(data.parentPid);
  const serving = Promise.allSettled([serveHeartbeat(data, heartbeat), serveControl(data, state, control)]);
  await Atomics.waitAsync(state, STATE.closing, 0).value;
  control.close();
  heartbeat.close();
  await serving;
  clearInterval(watch);
  Atomics.store(state, STATE.closing, 2);
  Atomics.notify(state, STATE.closing);
  parentPort.close(); // nothing holds the thread now: it ends by itself, the only end ZeroMQ survives
}
