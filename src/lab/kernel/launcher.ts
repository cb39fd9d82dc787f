/**
 * The kernel process: `node launcher.js CONNECTION_FILE`, as the kernelspec starts it.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type ControlData, type ControlNotice, closeControl, STATE_BYTES } from "./control.js";
import { Kernel, kernelInfo } from "./kernel.js";
import { loadTslab, typescriptVersion } from "./tslab.js";
import type { ConnectionInfo } from "./wire.js";

/** The nearest folder upwards with a package.json: local modules are imported from anywhere below it. */
function projectRoot(folder: string): string {
  for (let candidate = folder; ; candidate = dirname(candidate)) {
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (candidate === dirname(candidate)) return folder;
  }
}

/** Reads the connection file Jupyter wrote. */
function readConnection(path: string | undefined): ConnectionInfo {
  if (path === undefined) throw new RangeError("usage: launcher.js CONNECTION_FILE");
  return JSON.parse(readFileSync(path, "utf8")) as ConnectionInfo;
}

const connection = readConnection(process.argv[2]);
const cwd = process.cwd();
const root = projectRoot(cwd);
const state = new SharedArrayBuffer(STATE_BYTES);
const packageRoot = fileURLToPath(new URL("../../..", import.meta.url));
const info = kernelInfo(typescriptVersion(packageRoot));
const kernel = new Kernel(connection, root, state, info);

// Loaded first: its parent check guards the seconds that loading the compiler takes.
const control = new Worker(new URL("./control.js", import.meta.url), {
  workerData: {
    connection,
    kernelInfo: info,
    session: connection.key.slice(0, 8),
    state,
    parentPid: Number(process.env["JPY_PARENT_PID"] ?? process.ppid),
  } satisfies ControlData,
});
control.on("message", (notice: ControlNotice) => {
  if (notice === "interrupt") kernel.interrupt();
  if (notice === "shutdown") kernel.shutdown();
});
control.on("exit", () => process.exit(0));
process.on("exit", () => {
  kernel.flush();
  closeControl(new Int32Array(state));
});
process.on("SIGINT", () => {
  kernel.interrupt();
});
process.on("uncaughtException", (error) => {
  kernel.reportUnhandled("Uncaught", error);
});
process.on("unhandledRejection", (reason) => {
  kernel.reportUnhandled("Unhandled rejection", reason);
});

const tslab = loadTslab({ packageRoot, root, cwd, hooks: kernel.hooks });
await kernel.start(tslab);
