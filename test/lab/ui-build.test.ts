import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  buildHash,
  defaultCacheDir,
  ensureUi,
  readTree,
  type UiBuildCommand,
  type UiBuildOptions,
  type UiBuildProgress,
} from "../../src/lab/ui-build.js";

let scratch: string;
let cacheDir: string;
let sources: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "ui-build-"));
  cacheDir = join(scratch, "cache");
  sources = join(scratch, "sources");
  await mkdir(join(sources, "src"), { recursive: true });
  await writeFile(join(sources, "package-lock.json"), "{}");
  await writeFile(join(sources, "src", "main.ts"), "start();\n");
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

/** A step that runs JavaScript in the temporary folder. */
const step = (label: string, script: string): UiBuildCommand => ({
  label,
  file: process.execPath,
  args: ["-e", script],
});

const writeManifest = step(
  "bundling",
  `fs.writeFileSync("out/manifest.json", fs.readFileSync("src/main.ts"))`,
);

/** A build of the small sources with these steps. */
const build = (commands: readonly UiBuildCommand[], options: UiBuildOptions = {}): Promise<string> =>
  ensureUi({ cacheDir, sources, commands: () => commands, ...options });

describe("the name of a build", () => {
  const nameOf = (files: Record<string, string>, plotly: string): string =>
    buildHash(
      new Map(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)])),
      plotly,
    );

  it("depends on names, contents and the version of plotly.js, not on the order of the files", () => {
    const name = nameOf({ x: "a", y: "b" }, "4.1.2");
    expect(name).toMatch(/^[0-9a-f]{16}$/);
    expect(nameOf({ y: "b", x: "a" }, "4.1.2")).toBe(name);
    expect(nameOf({ x: "b", y: "a" }, "4.1.2")).not.toBe(name);
    expect(nameOf({ x: "a", z: "b" }, "4.1.2")).not.toBe(name);
    expect(nameOf({ x: "a", y: "b" }, "4.1.3")).not.toBe(name);
  });

  it("covers every source file, but neither installed packages nor hidden files", async () => {
    await mkdir(join(sources, "node_modules", "react"), { recursive: true });
    await writeFile(join(sources, "node_modules", "react", "index.js"), "");
    await writeFile(join(sources, ".npmrc"), "");
    expect([...(await readTree(sources)).keys()].sort()).toEqual(["package-lock.json", "src/main.ts"]);
  });
});

describe("the cache folder", () => {
  it("follows XDG_CACHE_HOME if that is an absolute path, else the custom of the system", () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: "/var/cache/me" }, "linux")).toBe(
      join("/var/cache/me", "clientele", "ui"),
    );
    expect(defaultCacheDir({ XDG_CACHE_HOME: "here" }, "linux")).toMatch(/\.cache.clientele.ui$/);
    expect(defaultCacheDir({}, "darwin")).toMatch(/Library.Caches.clientele.ui$/);
    expect(defaultCacheDir({ LOCALAPPDATA: "/local" }, "win32")).toBe(join("/local", "clientele", "ui"));
  });
});

describe("a build", () => {
  it("runs the steps in a copy of the sources, reports them, and leaves only the result", async () => {
    const reports: UiBuildProgress[] = [];
    const folder = await build([step("installing", ""), writeManifest], {
      onProgress: (report) => reports.push(report),
    });
    expect(await readFile(join(folder, "manifest.json"), "utf8")).toBe("start();\n");
    expect(await readdir(cacheDir)).toHaveLength(1);
    expect(
      reports.filter((report) => report.seconds === 0).map(({ step, steps, label }) => [step, steps, label]),
    ).toEqual([
      [1, 3, "installing"],
      [2, 3, "bundling"],
      [3, 3, "tidying up"],
    ]);
  });

  it("is found again without running anything", async () => {
    const folder = await build([writeManifest]);
    expect(await build([step("installing", "process.exit(1)")])).toBe(folder);
  });

  it("is made anew when a source changes", async () => {
    const folder = await build([writeManifest]);
    await writeFile(join(sources, "src", "main.ts"), "begin();\n");
    expect(await build([writeManifest])).not.toBe(folder);
  });

  it("without a type check does not count as type-checked", async () => {
    const folder = await build([writeManifest]);
    expect(existsSync(join(folder, "type-checked"))).toBe(false);
    expect(await build([writeManifest], { typeCheck: true })).toBe(folder);
    expect(existsSync(join(folder, "type-checked"))).toBe(true);
    expect(await build([step("installing", "process.exit(1)")], { typeCheck: true })).toBe(folder);
  });

  it("that fails says which step did, with its last lines, and leaves nothing", async () => {
    const failing = step(
      "installing packages",
      `for (let i = 1; i < 40; i++) console.error("line " + i); process.exit(7)`,
    );
    const error: unknown = await build([failing, writeManifest]).catch((reason: unknown) => reason);
    expect(String(error)).toContain("installing packages failed (exit code 7):\nline 25\n");
    expect(String(error)).toContain("line 39");
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it("whose command does not exist fails in the same way", async () => {
    await expect(build([{ label: "installing packages", file: "no-such-npm", args: [] }])).rejects.toThrow(
      /installing packages failed \(spawn no-such-npm ENOENT\)/,
    );
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it("that is cancelled ends its command and leaves nothing", async () => {
    const canceller = new AbortController();
    const endless = step(
      "installing",
      `fs.writeFileSync("../begun-" + process.pid, ""); setInterval(() => {}, 1000)`,
    );
    const building = build([endless], { signal: canceller.signal });
    const command = await begun();
    canceller.abort(new Error("enough"));
    await expect(building).rejects.toThrow("enough");
    expect(() => process.kill(command, 0)).toThrow("ESRCH");
    expect((await readdir(cacheDir)).filter((name) => name.startsWith("build-"))).toEqual([]);
  });

  it("that was cancelled before it began does nothing", async () => {
    await expect(build([writeManifest], { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
    expect(existsSync(cacheDir)).toBe(false);
  });

  it("at the same time as another ends well, as the other does", async () => {
    const slow = step("installing", "setTimeout(() => {}, 200)");
    const folders = await Promise.all([build([slow, writeManifest]), build([slow, writeManifest])]);
    expect(folders[0]).toBe(folders[1]);
    expect(await readdir(cacheDir)).toHaveLength(1);
  });

  it("removes what dead processes left, and only that", async () => {
    const [dead, alive] = [join(cacheDir, "build-999999999-0a"), join(cacheDir, `build-${process.pid}-0b`)];
    for (const folder of [dead, alive]) await mkdir(folder, { recursive: true });
    await build([writeManifest]);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(alive)).toBe(true);
  });

  /** Waits until the endless step runs, and gives its process number. */
  async function begun(): Promise<number> {
    for (;;) {
      const names = await readdir(cacheDir).catch(() => []);
      const mark = names.find((name) => name.startsWith("begun-"));
      if (mark !== undefined) return Number(mark.slice("begun-".length));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});
