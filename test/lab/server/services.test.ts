/** The server with real kernels, driven through JupyterLab's own client. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Kernel,
  KernelManager,
  ServerConnection,
  ServiceManager,
  type Session,
} from "@jupyterlab/services";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import type { KernelMessage } from "../../../src/lab/kernel/wire.js";
import { BINARY_PROTOCOL, decodeBinary, encodeBinary } from "../../../src/lab/server/protocol.js";
import { type LabServer, startServer } from "../../../src/lab/server/server.js";
import { ask, askJson, message, until, type Workplace, workplace } from "./support.js";

let place: Workplace;
let server: LabServer;
let manager: ServiceManager;
const cleanUps: (() => Promise<void>)[] = [];

function clientSettings(to: LabServer): ServerConnection.ISettings {
  const address = `127.0.0.1:${to.port.toString()}/`;
  return ServerConnection.makeSettings({
    baseUrl: `http://${address}`,
    wsUrl: `ws://${address}`,
    token: to.token,
    appUrl: "lab",
  });
}

beforeAll(async () => {
  // JupyterLab's client tells every state on the console.
  for (const method of ["debug", "warn"] as const) vi.spyOn(console, method).mockReturnValue(undefined);
  place = await workplace((cleanUp) => cleanUps.push(cleanUp));
  server = await startServer({
    root: place.root,
    uiDir: place.uiDir,
    stateDir: place.stateDir,
    port: 0,
    warmKernel: false,
    limits: { outputLines: 2000 },
    log: (line) => place.lines.push(line),
  });
  manager = new ServiceManager({ serverSettings: clientSettings(server), standby: "never" });
  await manager.ready;
});

afterAll(async () => {
  manager.dispose();
  await server.close();
  await Promise.all(cleanUps.map((cleanUp) => cleanUp()));
});

const open = (name: string): Promise<Session.ISessionConnection> =>
  manager.sessions.startNew({
    path: `notebooks/${name}.ipynb`,
    type: "notebook",
    name,
    kernel: { name: "tslab" },
  });

interface Run {
  readonly status: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: unknown;
  readonly error: unknown;
}

/** Runs a cell to its end. */
async function run(kernel: Kernel.IKernelConnection, code: string): Promise<Run> {
  let [stdout, stderr] = ["", ""];
  let [result, error]: unknown[] = [];
  const future = kernel.requestExecute({ code });
  future.onIOPub = ({ header, content }) => {
    const fields = content as Record<string, unknown>;
    if (header.msg_type === "stream" && fields["name"] === "stdout") stdout += String(fields["text"]);
    if (header.msg_type === "stream" && fields["name"] === "stderr") stderr += String(fields["text"]);
    if (header.msg_type === "execute_result")
      result = (fields["data"] as Record<string, unknown>)["text/plain"];
    if (header.msg_type === "error") error = fields["ename"];
  };
  const { content } = await future.done;
  return { status: content.status, stdout, stderr, result, error };
}

/** Resolves when the kernel says this status; call it before what causes it. */
const status = (kernel: Kernel.IKernelConnection, wanted: string): Promise<void> =>
  new Promise((resolve) => {
    const look = (_: unknown, now: string): void => {
      if (now !== wanted) return;
      kernel.statusChanged.disconnect(look);
      resolve();
    };
    kernel.statusChanged.connect(look);
  });

const kernelOf = (session: Session.ISessionConnection): Kernel.IKernelConnection => {
  if (!session.kernel) throw new Error("the session has no kernel");
  return session.kernel;
};

describe("contents through the client", () => {
  it("creates, saves, reads, checkpoints, renames, copies and deletes a notebook", async () => {
    const { contents } = manager;
    const created = await contents.newUntitled({ path: "notebooks", type: "notebook" });
    const opened = await contents.get(created.path, { content: true, hash: true });
    const notebook = opened.content as { cells: { source: string }[] };
    notebook.cells[0] = { ...notebook.cells[0], source: "const x = 1;\nx" };
    await contents.save(created.path, { type: "notebook", format: "json", content: notebook });
    const checkpoint = await contents.createCheckpoint(created.path);
    expect(await contents.listCheckpoints(created.path)).toEqual([checkpoint]);
    notebook.cells[0].source = "broken";
    await contents.save(created.path, { type: "notebook", format: "json", content: notebook });
    await contents.restoreCheckpoint(created.path, checkpoint.id);
    expect((await contents.get(created.path)).content).toMatchObject({
      cells: [{ source: "const x = 1;\nx" }],
    });
    const renamed = await contents.rename(created.path, "notebooks/Größe 1.ipynb");
    const copied = await contents.copy(renamed.path, "notebooks");
    expect(copied.path).toBe("notebooks/Größe 1-Copy1.ipynb");
    await contents.delete(copied.path);
    expect(((await contents.get("notebooks")).content as { name: string }[]).map(({ name }) => name)).toEqual(
      ["Größe 1.ipynb"],
    );
    await contents.deleteCheckpoint(renamed.path, checkpoint.id);
    expect(await contents.listCheckpoints(renamed.path)).toEqual([]);
    expect(await readFile(join(place.root, "notebooks/Größe 1.ipynb"), "utf8")).toContain(
      '"const x = 1;\\n",',
    );
    const url = await contents.getDownloadUrl(renamed.path);
    const download = await fetch(url, { headers: { authorization: `token ${server.token}` } });
    expect(await download.json()).toMatchObject({ nbformat: 4 });
    await expect(contents.get("none.txt")).rejects.toThrow("file or folder does not exist: none.txt");
  });

  it("reports which kernels there are", () => {
    expect(manager.kernelspecs.specs?.default).toBe("tslab");
  });
});

describe("kernels through the client", () => {
  let first: Session.ISessionConnection;
  let second: Session.ISessionConnection;

  it("runs two at once, each in its notebook's folder with a state of its own", async () => {
    const begin = performance.now();
    [first, second] = await Promise.all([open("first"), open("second")]);
    expect(performance.now() - begin).toBeLessThan(2000); // a session answers before its kernel is up
    const results = await Promise.all([
      run(kernelOf(first), "let x = 1; [x, process.cwd().endsWith('notebooks')]"),
      run(kernelOf(second), "let x = 2; x"),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["ok", "ok"]);
    expect((await run(kernelOf(first), "x + 10")).result).toBe("11");
    expect((await run(kernelOf(second), "x + 10")).result).toBe("12");
    expect(results[0].result).toContain("true");
  });

  it("completes, inspects and reports errors", async () => {
    const kernel = kernelOf(first);
    const completion = await kernel.requestComplete({ code: "Math.flo", cursor_pos: 8 });
    expect(completion.content).toMatchObject({ status: "ok", matches: ["floor"] });
    const { content } = await kernel.requestInspect({ code: "Math.floor", cursor_pos: 8, detail_level: 0 });
    expect(content).toMatchObject({ status: "ok", found: true });
    expect(await run(kernel, 'throw new TypeError("no")')).toMatchObject({
      status: "error",
      error: "TypeError",
    });
  });

  it("interrupts a loop and keeps the state", async () => {
    const kernel = kernelOf(first);
    const running = new Promise<void>((resolve) => {
      kernel.iopubMessage.connect(function look(_, { header }) {
        if (header.msg_type !== "stream") return;
        kernel.iopubMessage.disconnect(look);
        resolve();
      });
    });
    // Printed text leaves the kernel before the loop begins.
    const ended = run(
      kernel,
      'console.log("looping"); await new Promise((go) => setTimeout(go, 50)); while (true) {}',
    );
    await running;
    await kernel.interrupt();
    expect((await ended).status).toBe("error");
    expect((await run(kernel, "x")).result).toBe("1");
  });

  it("gives a client that lost its connection what it missed", async () => {
    const kernel = kernelOf(first);
    const url = `ws://127.0.0.1:${server.port.toString()}/api/kernels/${kernel.id}/channels?session_id=lost&token=${server.token}`;
    const connectSocket = async (got: KernelMessage[]): Promise<WebSocket> => {
      const socket = new WebSocket(url, BINARY_PROTOCOL);
      socket.on("message", (data: Buffer) => got.push(decodeBinary(data)));
      await new Promise((resolve) => socket.once("open", resolve));
      return socket;
    };
    const [before, after]: KernelMessage[][] = [[], []];
    const socket = await connectSocket(before ?? []);
    const code =
      "for (let i = 0; i < 3; i++) { await new Promise((go) => setTimeout(go, 100)); console.log(i) }";
    const asked = message(
      "shell",
      "execute_request",
      {
        code,
        silent: false,
        store_history: true,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      },
      {},
      "lost",
    );
    socket.send(encodeBinary(asked));
    await until(
      () => (before ?? []).some(({ header }) => header.msg_type === "execute_input"),
      "the cell to start",
    );
    const idle = status(kernel, "idle");
    socket.terminate(); // as a network does, without a word
    await idle;
    const returned = await connectSocket(after ?? []);
    await until(() => (after ?? []).some(({ header }) => header.msg_type === "execute_reply"), "the reply");
    returned.terminate();
    const printed = [...(before ?? []), ...(after ?? [])]
      .filter(
        ({ header, parent_header: parent }) =>
          header.msg_type === "stream" && parent.msg_id === asked.header.msg_id,
      )
      .map(({ content }) => content["text"]);
    expect(printed.join("")).toBe("0\n1\n2\n");
  });

  it("speaks the JSON form to a client that knows no other, and throws out who speaks neither", async () => {
    const url = `ws://127.0.0.1:${server.port.toString()}/api/kernels/${kernelOf(first).id}/channels?session_id=old&token=${server.token}`;
    const socket = new WebSocket(url);
    await new Promise((resolve) => socket.once("open", resolve));
    expect(socket.protocol).toBe("");
    const reply = new Promise<KernelMessage>((resolve) => {
      socket.on("message", (data: Buffer, isBinary) => {
        expect(isBinary).toBe(false);
        const sent = JSON.parse(data.toString()) as KernelMessage;
        if (sent.channel === "shell") resolve(sent);
      });
    });
    socket.send(JSON.stringify(message("shell", "kernel_info_request", {}, {}, "old")));
    expect((await reply).content).toMatchObject({ status: "ok", language_info: { name: "typescript" } });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.send("nonsense");
    expect(await closed).toBe(1007);
    expect((await run(kernelOf(first), "x")).result).toBe("1");
  });

  it("survives a cell that prints 50 MB, and so does its client", async () => {
    const kernel = kernelOf(first);
    let [slowest, asked] = [0, 0];
    const done = new AbortController();
    const watch = (async () => {
      while (!done.signal.aborted) {
        const begin = performance.now();
        expect((await ask(server, "/api/status")).status).toBe(200);
        slowest = Math.max(slowest, performance.now() - begin);
        asked++;
      }
    })();
    const flood = await run(
      kernel,
      'const line = "x".repeat(9_999); for (let i = 0; i < 5_000; i++) console.log(line);',
    );
    done.abort();
    await watch;
    expect(flood.status).toBe("ok");
    expect(flood.stdout).toHaveLength(10_000_000);
    expect(flood.stderr).toBe(
      "\n[clientele] output truncated after 10,000,000 characters; write long results to a file instead\n",
    );
    expect(asked).toBeGreaterThan(3);
    expect(slowest).toBeLessThan(3000);
    const lines = await run(kernel, "for (let i = 0; i < 3_000; i++) console.log(i);");
    expect(lines.stdout.trimEnd().split("\n")).toHaveLength(2000);
    expect(lines.stderr).toContain("after 2,000 lines");
    expect(await run(kernel, '"still here"')).toMatchObject({ status: "ok", result: "still here" });
  });

  it("restarts: new state, same id", async () => {
    const kernel = kernelOf(first);
    const { id } = kernel;
    await kernel.restart();
    expect(kernel.id).toBe(id);
    expect((await run(kernel, "line")).status).toBe("error"); // set by an earlier cell
    expect((await run(kernelOf(second), "x")).result).toBe("2"); // the other one is as it was
  });

  it("comes back by itself after a cell that ends the process", async () => {
    const kernel = kernelOf(first);
    const died = status(kernel, "autorestarting");
    const cell = run(kernel, "process.exit(3)");
    await expect(cell).rejects.toThrow("Canceled");
    await died;
    expect(place.lines).toContain(`kernel ${kernel.id} died (exit code 3)`);
    const { result } = await run(kernel, "6 * 7");
    expect(result).toBe("42");
    expect(kernel.status).not.toBe("dead");
  });

  it("is one for several clients, and dead for all when one ends it", async () => {
    const kernels = new KernelManager({ serverSettings: clientSettings(server), standby: "never" });
    const other = kernels.connectTo({ model: kernelOf(second).model });
    expect((await run(other, "x = 5; x")).result).toBe("5");
    expect((await run(kernelOf(second), "x")).result).toBe("5");
    const dead = status(other, "dead");
    await second.shutdown();
    await dead;
    kernels.dispose();
    expect((await askJson(server, "/api/sessions")).body).toHaveLength(1);
  });
});

describe("the end", () => {
  it("leaves no kernel behind: running, busy, starting or spare", async () => {
    const ended = await startServer({
      root: place.root,
      uiDir: place.uiDir,
      stateDir: place.stateDir,
      port: 0,
      log: (line) => place.lines.push(line),
    });
    const pids = async (): Promise<number[]> => kernelProcesses();
    const before = await pids();
    const post = (path: string, body: object) => askJson(ended, path, { method: "POST", body });
    const kernels = new KernelManager({ serverSettings: clientSettings(ended), standby: "never" });
    const busy = await kernels.startNew({ name: "tslab" });
    const started = new Promise<void>((resolve) => {
      busy.iopubMessage.connect((_, { header }) => {
        if (header.msg_type === "execute_input") resolve();
      });
    });
    busy.requestExecute({ code: "while (true) {}" }).done.catch(() => undefined);
    await started;
    await post("/api/sessions", { path: "notebooks/x.ipynb", type: "notebook" });
    await post("/api/kernels", {});
    await expect
      .poll(async () => (await pids()).length - before.length, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(3);
    kernels.dispose();
    await ended.close();
    expect((await pids()).filter((pid) => !before.includes(pid))).toEqual([]);
  });
});

/** Children of this process that run the kernel launcher. */
async function kernelProcesses(): Promise<number[]> {
  const { execFile } = await import("node:child_process");
  const list = await new Promise<string>((resolve, reject) => {
    execFile("ps", ["-A", "-o", "pid=,ppid=,args="], (error, stdout) => {
      if (error) reject(error instanceof Error ? error : new Error("ps failed"));
      else resolve(stdout);
    });
  });
  return list
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, ...command]) =>
        parent === process.pid.toString() && command.join(" ").includes("launcher.js"),
    )
    .map(([pid]) => Number(pid));
}
