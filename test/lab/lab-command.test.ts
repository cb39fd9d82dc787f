import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ensureUi } from "../../src/lab/ui-build.js";
import { isAlive } from "./kernel/session.js";

const cli = join(import.meta.dirname, "../../dist/cli.js");

describe("clientele lab", { timeout: 300_000 }, () => {
  let folder: string;
  let lab: ChildProcess;
  let said = "";

  beforeEach(async () => {
    await ensureUi();
    folder = mkdtempSync(join(tmpdir(), "clientele-lab-"));
    lab = spawn(process.execPath, [cli, "lab", folder, "--port", "0", "--no-browser"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_STATE_HOME: join(folder, "state") },
    });
    said = "";
    lab.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }, 300_000);
  afterEach(() => {
    lab.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  /** The address printed, once the server answers. */
  const address = (): Promise<URL> =>
    vi.waitFor(
      () => {
        const [url = ""] = /http:\S+token=\S+/.exec(said) ?? [];
        return new URL(url);
      },
      { timeout: 30_000, interval: 50 },
    );

  const call = (url: URL, path: string, method = "GET"): Promise<Response> =>
    fetch(new URL(path, url), {
      method,
      headers: { authorization: `token ${url.searchParams.get("token") ?? ""}` },
    });

  /** Process ids of the kernels the command has started. */
  const kernels = (): number[] =>
    spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
      .stdout.split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number))
      .flatMap(([pid = 0, parent]) => (parent === lab.pid ? [pid] : []));

  it("prints an address with a token that opens the page, and ends on a signal without leaving a kernel", async () => {
    const url = await address();
    expect(url.hostname).toBe("127.0.0.1");
    const page = await call(url, "/tree");
    expect(await page.text()).toContain("/static/main.js");
    expect((await fetch(new URL("/api/contents", url))).status).toBe(403);
    const kernel = (await (await call(url, "/api/kernels", "POST")).json()) as { id: string };
    await vi.waitFor(
      async () => {
        const state = (await (await call(url, `/api/kernels/${kernel.id}`)).json()) as {
          execution_state: string;
        };
        expect(state.execution_state).toBe("idle");
      },
      { timeout: 30_000, interval: 200 },
    );
    const running = kernels();
    expect(running.length).toBeGreaterThan(0);
    const exit = once(lab, "exit");
    lab.kill("SIGINT");
    expect(await exit).toEqual([0, null]);
    expect(running.filter(isAlive)).toEqual([]);
  });

  it("ends when the browser's quit button asks for it", async () => {
    const url = await address();
    const exit = once(lab, "exit");
    expect((await call(url, "/api/shutdown", "POST")).ok).toBe(true);
    expect(await exit).toEqual([0, null]);
  });
});
