import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Request as HeartbeatClient } from "zeromq";
import { type KernelMessage, type KernelProcess, startKernel } from "../../../src/lab/kernel/client.js";
import type { ConnectionInfo } from "../../../src/lab/kernel/wire.js";
import { execute, isAlive, withKernel } from "./session.js";

const notebooks = join(import.meta.dirname, "../../../notebooks");

describe("kernel protocol", () => {
  let kernel: KernelProcess;
  beforeAll(async () => {
    kernel = await startKernel({ cwd: notebooks });
  });
  afterAll(() => kernel.shutdown());

  it("announces a cell, then its result, and counts", async () => {
    const first = await execute(kernel, "6 * 7");
    expect(first.messages.map(({ header }) => header.msg_type)).toEqual(["execute_input", "execute_result"]);
    expect(first.result).toBe("42");
    const second = await execute(kernel, "const quiet = 1;");
    expect(second.result).toBeUndefined();
    expect(second.count).toBe(first.count + 1);
  });

  it("does not count silent code", async () => {
    const before = await execute(kernel, "1");
    const silent = await execute(kernel, "2", { silent: true });
    expect(silent.messages.map(({ header }) => header.msg_type)).not.toContain("execute_input");
    expect((await execute(kernel, "3")).count).toBe(before.count + 1);
  });

  it("names cell, line and column of an error and hides what is internal", async () => {
    const failed = await execute(
      kernel,
      'interface Order { amount: number }\n\nfunction total(order: Order): number {\n  throw new RangeError("amount " + order.amount);\n}\ntotal({ amount: 3 });',
    );
    const cell = `cell [${failed.count}]`;
    expect(failed.status).toBe("error");
    expect(failed.traceback).toEqual([
      "RangeError: amount 3",
      `    at total (${cell}:4:9)`,
      `    at ${cell}:6:1`,
    ]);
  });

  it("names the line of an error after an await, and in a function of an earlier cell", async () => {
    const later = await execute(kernel, 'await Promise.resolve();\n\nthrow new Error("late");');
    expect(later.traceback[1]).toBe(`    at cell [${later.count}]:3:7`);
    const defined = await execute(kernel, 'function fails() {\n  throw new TypeError("old");\n}');
    const called = await execute(kernel, "fails();");
    expect(called.traceback.slice(1)).toEqual([
      `    at fails (cell [${defined.count}]:2:9)`,
      `    at cell [${called.count}]:1:1`,
    ]);
  });

  it("tells causes and values that are no errors", async () => {
    const caused = await execute(kernel, 'throw new Error("outer", { cause: new Error("inner") });');
    expect(caused.traceback).toContain("Caused by: Error: inner");
    expect((await execute(kernel, "throw { code: 7 };")).traceback).toEqual(["Thrown: { code: 7 }"]);
  });

  it("shows a compile error with the line it is in, and does not run the cell", async () => {
    const failed = await execute(kernel, 'console.log("ran");\nconst rate: number = "80%";');
    expect(failed.ename).toBe("TypeScriptError");
    expect(failed.stdout).toBe("");
    expect(failed.traceback.slice(1)).toEqual([
      `cell [${failed.count}]:2:7 - Type 'string' is not assignable to type 'number'.`,
      '    const rate: number = "80%";',
      "          ^",
    ]);
  });

  it("loses no line of 100,000", async () => {
    const { stdout, status } = await execute(
      kernel,
      'for (let i = 0; i < 100000; i += 1) console.log("line " + i);',
    );
    expect(status).toBe("ok");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(100_000);
    expect(lines.every((line, index) => line === `line ${index}`)).toBe(true);
  });

  it("keeps the order of what is printed to both streams and displayed", async () => {
    const { messages } = await execute(
      kernel,
      'import { display } from "tslab";\nconsole.log("1"); console.error("2"); console.log("3"); display.html("<b>4</b>"); console.log("5");',
    );
    const seen = messages
      .filter(({ header }) => header.msg_type !== "execute_input")
      .map(({ content }) => content["text"] ?? (content["data"] as Record<string, unknown>)["text/html"]);
    expect(seen).toEqual(["1\n", "2\n", "3\n", "<b>4</b>", "5\n"]);
  });

  it("sends displays, their updates and bundles of several types", async () => {
    const { messages } = await execute(
      kernel,
      'import { newDisplay } from "tslab";\nconst d = newDisplay(); d.text("a"); d.text("b");',
    );
    expect(messages.slice(1).map(({ header }) => header.msg_type)).toEqual([
      "display_data",
      "update_display_data",
    ]);
    const [first, second] = messages.slice(1).map(({ content }) => content["transient"]);
    expect(first).toEqual(second);
  });

  it("tells an error nobody awaited, and lives on", async () => {
    const text = new Promise<string>((resolve) => {
      kernel.on("message", function listen({ header, content }: KernelMessage) {
        if (header.msg_type !== "stream" || !String(content["text"]).startsWith("Unhandled")) return;
        kernel.off("message", listen);
        resolve(String(content["text"]));
      });
    });
    await execute(kernel, 'void Promise.reject(new Error("forgotten"));');
    expect(await text).toContain("Unhandled rejection: Error: forgotten");
    expect((await execute(kernel, "1 + 1")).result).toBe("2");
  });

  it("aborts what was sent before a failure was known and runs what is sent after", async () => {
    const [failed, queued] = await Promise.all([
      execute(kernel, 'await new Promise((r) => setTimeout(r, 100)); throw new Error("stop");'),
      execute(kernel, 'console.log("must not run");'),
    ]);
    expect(failed.status).toBe("error");
    expect(queued.status).toBe("aborted");
    expect(queued.stdout).toBe("");
    expect((await execute(kernel, "2 + 2")).result).toBe("4");
  });

  it("goes on after a failure where the client asks for it", async () => {
    const [, next] = await Promise.all([
      execute(kernel, 'await new Promise((r) => setTimeout(r, 50)); throw new Error("go on");', {
        stop_on_error: false,
      }),
      execute(kernel, "3 + 3"),
    ]);
    expect(next.result).toBe("6");
  });

  it("answers kernel info, completion, inspection, completeness, history and comm info", async () => {
    const info = await kernel.request("shell", "kernel_info_request", {});
    expect(info.content).toMatchObject({
      status: "ok",
      language_info: { name: "typescript", version: "5.0.4" },
    });
    await execute(kernel, "const margins = [1, 2];");
    const complete = await kernel.request("shell", "complete_request", {
      code: "margins.fi",
      cursor_pos: 10,
    });
    expect(complete.content["matches"]).toContain("filter");
    expect(complete.content).toMatchObject({ cursor_start: 8, cursor_end: 10 });
    const inspect = await kernel.request("shell", "inspect_request", {
      code: "margins",
      cursor_pos: 3,
      detail_level: 0,
    });
    expect(inspect.content).toMatchObject({ found: true, data: { "text/plain": "const margins: number[]" } });
    const complete1 = await kernel.request("shell", "is_complete_request", { code: "function f() {" });
    expect(complete1.content).toEqual({ status: "incomplete", indent: "  " });
    const history = await kernel.request("shell", "history_request", { hist_access_type: "tail", n: 1 });
    expect(history.content["history"]).toEqual([[0, expect.any(Number), "const margins = [1, 2];"]]);
    const comms = await kernel.request("shell", "comm_info_request", {});
    expect([comms.header.msg_type, comms.content]).toEqual(["comm_info_reply", { status: "ok", comms: {} }]);
  });

  it("imports the package and what it depends on", async () => {
    const { result } = await execute(
      kernel,
      'import { DataError } from "clientele";\nimport { table } from "arquero";\nimport { mean } from "simple-statistics";\n[new DataError("x").name, table({ a: [1, 2] }).numRows(), mean([1, 3])].join()',
    );
    expect(result).toBe("DataError,2,2");
  });

  it("takes shorthand properties of variables from this cell and from earlier ones", async () => {
    await execute(kernel, "const seed = 7;");
    const { result } = await execute(kernel, "const now = 1;\nJSON.stringify([{ seed }, { now, seed }])");
    expect(result).toBe('[{"seed":7},{"now":1,"seed":7}]');
  });

  it("gives new names to properties of a variable from an earlier cell", async () => {
    await execute(kernel, "const pair = { fit: 3, names: [1, 2], more: { deep: 4 } };");
    const cell = "const { fit: size, names: [one], more: { deep: low }, ...rest } = pair;";
    expect((await execute(kernel, cell)).status).toBe("ok");
    const { result } = await execute(kernel, "JSON.stringify([size, one, low, rest])");
    expect(result).toBe("[3,1,4,{}]");
  });

  it("answers on the control channel while a cell runs", async () => {
    const running = execute(
      kernel,
      "await new Promise((r) => setTimeout(r, 400)); for (const end = Date.now() + 600; Date.now() < end; );",
    );
    await sleep(600);
    const reply = await kernel.request("control", "kernel_info_request", {}, { timeoutMs: 300 });
    expect(reply.header.msg_type).toBe("kernel_info_reply");
    expect((await running).status).toBe("ok");
  });

  describe("interrupt", () => {
    beforeAll(() => execute(kernel, "let kept = 7;"));
    it.each([
      ["a busy loop", "while (true) {}"],
      ["a pending await", "await new Promise(() => undefined);"],
      ["a busy loop after an await", "await new Promise((r) => setTimeout(r, 20)); while (true) {}"],
      ["a loop that prints without end", "while (true) console.log(1);"],
    ])("stops %s and keeps the state", async (_name, code) => {
      const started = new Promise<void>((resolve) => {
        kernel.on("message", function listen({ header }: KernelMessage) {
          if (header.msg_type !== "execute_input") return;
          kernel.off("message", listen);
          resolve();
        });
      });
      const running = execute(kernel, code);
      await started;
      await sleep(150);
      kernel.interrupt();
      const stopped = await running;
      expect(stopped.ename).toBe("Interrupted");
      expect(stopped.traceback).toEqual(["Interrupted: the cell was interrupted"]);
      expect((await execute(kernel, "kept")).result).toBe("7");
    });

    it("does nothing to an idle kernel", async () => {
      kernel.interrupt();
      await sleep(50);
      expect((await execute(kernel, "kept")).result).toBe("7");
    });
  });
});

describe("kernel and its surroundings", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "clientele-kernel-"));
    mkdirSync(join(folder, "src"));
    mkdirSync(join(folder, "notebooks"));
    writeFileSync(join(folder, "package.json"), "{}");
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("imports local modules from the notebook's folder, names their type errors, and takes changes", async () => {
    const module = join(folder, "src", "churn.ts");
    writeFileSync(module, "export const churn = (kept: number): number => 1 - kept;\n");
    await withKernel(join(folder, "notebooks"), async (kernel) => {
      const cell = 'import { churn } from "../src/churn";\nchurn(0.75)';
      expect((await execute(kernel, cell)).result).toBe("0.25");
      writeFileSync(module, "export const churn = (kept: number): number => 10 * (1 - kept);\n");
      await vi.waitFor(async () => expect((await execute(kernel, cell)).result).toBe("2.5"), {
        timeout: 15_000,
        interval: 300,
      });
      writeFileSync(join(folder, "src", "bad.ts"), 'export const rate: number = "high";\n');
      const failed = await execute(kernel, 'import { rate } from "../src/bad";\nrate');
      expect(failed.traceback).toContain(
        "src/bad.ts:1:14 - Type 'string' is not assignable to type 'number'.",
      );
    });
  });

  it("imports clientele and arquero in a folder where they are not installed", async () => {
    await withKernel(folder, async (kernel) => {
      const typed = await execute(
        kernel,
        'import { DataError } from "clientele";\nimport { table } from "arquero";\nconst rows: number = table({ a: [1] }).numRows();\nnew DataError("x").name + rows',
      );
      expect(typed.result).toBe("DataError1");
      // Types of packages that are not here have names all the same: a later cell can use what this one declares.
      const declared = await execute(kernel, "const rows2 = table({ a: [1, 2] });\nrows2.numRows()");
      expect(declared.result).toBe("2");
      const derived = await execute(kernel, "const grouped = rows2.groupby('a').count();\ngrouped.numRows()");
      expect(derived.result).toBe("2");
      const ours = await execute(
        kernel,
        'import { open } from "clientele";\nconst warehouse = await open(":memory:");\nconst one = await warehouse.query("SELECT 1 AS n");\none.numRows()',
      );
      expect(ours.traceback).toEqual([]);
      expect(ours.result).toBe("1");
      const wrong = await execute(kernel, 'import { noSuchName } from "clientele";\nnoSuchName');
      expect(wrong.traceback.join()).toContain("has no exported member 'noSuchName'");
    });
  });

  it("reports its end and what it said last when a cell exits the process", async () => {
    await withKernel(folder, async (kernel) => {
      const exit = once(kernel, "exit");
      let printed = "";
      kernel.on("message", ({ header, content }) => {
        if (header.msg_type === "stream") printed += String(content["text"]);
      });
      await expect(execute(kernel, 'console.log("last words"); process.exit(3);')).rejects.toThrow(
        /ended during execute_request \(exit code 3\)/,
      );
      expect(await exit).toEqual([3, null]);
      await vi.waitFor(() => expect(printed).toBe("last words\n"));
    });
  });

  it("ends in order while heartbeats are being answered", async () => {
    const told = join(folder, "connection.json");
    const launcher = new URL("../../../dist/lab/kernel/launcher.js", import.meta.url).href;
    const script = `require("node:fs").copyFileSync(process.argv[1], ${JSON.stringify(told)});
      process.argv.splice(1, 0, "launcher");
      import(${JSON.stringify(launcher)});`;
    for (let round = 0; round < 6; round += 1) {
      const kernel = await startKernel({
        cwd: folder,
        argv: [process.execPath, "-e", script, "{connection_file}"],
      });
      const exit = once(kernel, "exit");
      const { hb_port } = JSON.parse(readFileSync(told, "utf8")) as ConnectionInfo;
      const heart = new HeartbeatClient({ linger: 0, receiveTimeout: 2000 });
      heart.connect(`tcp://127.0.0.1:${String(hb_port)}`);
      await heart.send("ping");
      await heart.receive();
      const beating = (async () => {
        for (;;) {
          await heart.send("ping");
          await heart.receive();
        }
      })().catch(() => undefined);
      await kernel.shutdown();
      heart.close();
      await beating;
      expect([await exit, kernel.log]).toEqual([[0, null], ""]);
    }
  });

  it("keeps its key in a file only its owner can read, and removes it", async () => {
    let file = "";
    const argv = [
      process.execPath,
      "-e",
      "require('node:fs').writeFileSync(process.argv[2], process.argv[1])",
      "{connection_file}",
    ];
    const told = join(folder, "path.txt");
    const check = startKernel({ cwd: folder, argv: [...argv, told], startupTimeoutMs: 10_000 });
    await expect(check).rejects.toThrow(/kernel (died|ended)/);
    file = readFileSync(told, "utf8");
    expect(() => statSync(file)).toThrow(/ENOENT/);
    const mode = `require('node:fs').writeFileSync(process.argv[2], String(require('node:fs').statSync(process.argv[1]).mode & 0o777))`;
    await expect(
      startKernel({ cwd: folder, argv: [process.execPath, "-e", mode, "{connection_file}", told] }),
    ).rejects.toThrow();
    expect(readFileSync(told, "utf8")).toBe(String(0o600));
  });

  it.each([
    ["idle", "1"],
    ["busy for ever", "while (true) {}"],
  ])("leaves no orphan when its parent is killed: %s", async (_name, code) => {
    const client = new URL("../../../dist/lab/kernel/client.js", import.meta.url).href;
    const script = `import { startKernel } from ${JSON.stringify(client)};
      const kernel = await startKernel({ cwd: ${JSON.stringify(folder)} });
      kernel.on("message", (m) => { if (m.header.msg_type === "execute_input") console.log(kernel.pid); });
      await kernel.execute({ code: ${JSON.stringify(code)} }, () => undefined);
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 100 });
  });

  it("asks a kernel nothing before it has opened its last channel", async () => {
    const told = join(folder, "heard.txt");
    const zeromq = createRequire(import.meta.url).resolve("zeromq");
    // Opens its channels one by one, and ends with the first request it hears.
    const script = `const { Publisher, Router } = require(${JSON.stringify(zeromq)});
      const { shell_port, control_port, stdin_port, iopub_port } = require(process.argv[1]);
      const open = async (socket, port) => { await socket.bind("tcp://127.0.0.1:" + port); return socket; };
      const pause = () => new Promise((resolve) => setTimeout(resolve, 400));
      (async () => {
        const channels = [];
        let last = 0;
        open(new Router(), shell_port).then((shell) => shell.receive()).then(() => {
          require("node:fs").writeFileSync(process.argv[2], String(channels.length) + " " + (Date.now() - last >= 100));
          process.exit(0);
        });
        for (const port of [control_port, stdin_port]) channels.push(await open(new Router(), port));
        await pause();
        channels.push(await open(new Publisher(), iopub_port));
        last = Date.now();
      })();`;
    const start = startKernel({
      cwd: folder,
      argv: [process.execPath, "-e", script, "{connection_file}", told],
      startupTimeoutMs: 20_000,
    });
    await expect(start).rejects.toThrow("the kernel died while starting");
    expect(readFileSync(told, "utf8")).toBe("3 true");
  });

  it("cancels a start and leaves no process", async () => {
    const cancel = new AbortController();
    const told = join(folder, "pid.txt");
    const script =
      "require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => 0, 1000)";
    const start = startKernel({
      cwd: folder,
      argv: [process.execPath, "-e", script, told],
      signal: cancel.signal,
    });
    const pid = await vi.waitFor(() => Number(readFileSync(told, "utf8")));
    expect(isAlive(pid)).toBe(true);
    cancel.abort();
    await expect(start).rejects.toThrow(/cancelled/);
    expect(isAlive(pid)).toBe(false);
  });
});
