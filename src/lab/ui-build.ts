import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

/** The front end's sources. Compiled, this file lies as deep in `dist` as it does in `src`. */
const SOURCES = fileURLToPath(new URL("../../src/lab/ui", import.meta.url));
/** Lies in a finished build whose sources passed the type check. */
const TYPE_CHECKED = "type-checked";
/** Temporary folders carry the number of the process that builds there. */
const TEMPORARY = /^build-(\d+)-[0-9a-f]+$/;
const LAST_LINES = 15;

/** How far a build is: `installing packages (1/3)`, for so many seconds. */
export interface UiBuildProgress {
  /** Number of the step under way, from 1. */
  readonly step: number;
  readonly steps: number;
  /** What is being done, as in "installing front-end packages". */
  readonly label: string;
  /** Whole seconds since the step began. */
  readonly seconds: number;
}

/** One step of a build: a command that runs in the temporary folder. */
export interface UiBuildCommand {
  readonly label: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Whether the system's shell must find the command (npm on Windows). */
  readonly shell?: boolean;
}

/** Where a build takes place, for the commands that do it. */
export interface UiBuildPlaces {
  /** Temporary folder holding a copy of the sources. */
  readonly folder: string;
  /** Folder for the result, empty at first. */
  readonly output: string;
  /** Name of the build: a hash of all that goes into it. */
  readonly hash: string;
}

/** What to build, where to keep it and whom to tell. */
export interface UiBuildOptions {
  /** Told when a step begins and then once a second. */
  readonly onProgress?: (progress: UiBuildProgress) => void;
  /** Folder that keeps the builds, each in a folder of its own; a per-user cache folder by default. */
  readonly cacheDir?: string;
  /** Cancels the build. */
  readonly signal?: AbortSignal;
  /** Whether the front end's TypeScript must have passed a strict type check; needs the package `typescript`. */
  readonly typeCheck?: boolean;
  /** The front end's sources; those of this package by default. */
  readonly sources?: string;
  /** The commands that build; npm and the bundler by default. */
  readonly commands?: (places: UiBuildPlaces) => readonly UiBuildCommand[];
}

/**
 * The folder of the built notebook front end. It is built when the cache has none for these sources, this lock file
 * and this version of plotly.js: that takes a minute or two and needs the npm registry; later calls take milliseconds.
 * Processes that build at the same time do not disturb each other.
 * @throws Error if a step fails, with the last lines it printed; the signal's reason if it was cancelled. Either way
 * nothing half-done is left behind.
 */
export async function ensureUi(options: UiBuildOptions = {}): Promise<string> {
  options.signal?.throwIfAborted();
  const sources = await readTree(options.sources ?? SOURCES);
  const hash = buildHash(sources, plotlyVersion());
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const target = join(cacheDir, hash);
  if (!isBuilt(target, options.typeCheck)) await build(sources, hash, cacheDir, options);
  return target;
}

/** Per-user folder for builds, after each system's custom; `XDG_CACHE_HOME` counts everywhere. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  const xdg = env["XDG_CACHE_HOME"];
  const bySystem: Partial<Record<NodeJS.Platform, string>> = {
    darwin: join(homedir(), "Library", "Caches"),
    win32: env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"),
  };
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : (bySystem[platform] ?? join(homedir(), ".cache"));
  return join(base, "clientele", "ui");
}

/** Name of the build of these files with that version of plotly.js: the same for the same content anywhere. */
export function buildHash(files: ReadonlyMap<string, Uint8Array>, plotly: string): string {
  const hash = createHash("sha256").update(`plotly.js ${plotly}\n`);
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** All files below a folder by path (with "/"), without installed packages and hidden files. */
export async function readTree(folder: string): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1).split(sep);
    if (!entry.isFile() || name.some((part) => part === "node_modules" || part.startsWith("."))) continue;
    files.set(name.join("/"), await readFile(path));
  }
  return files;
}

/** The manifest is written last, and finished builds appear at once: where it is, the build is whole. */
function isBuilt(target: string, typeCheck = false): boolean {
  return existsSync(join(target, "manifest.json")) && (!typeCheck || existsSync(join(target, TYPE_CHECKED)));
}

async function build(
  sources: ReadonlyMap<string, Uint8Array>,
  hash: string,
  cacheDir: string,
  options: UiBuildOptions,
): Promise<void> {
  await removeAbandoned(cacheDir);
  const folder = join(cacheDir, `build-${process.pid}-${randomBytes(4).toString("hex")}`);
  const places = { folder, output: join(folder, "out"), hash };
  const commands = (options.commands ?? ((at) => defaultCommands(at, options.typeCheck)))(places);
  const report = reporter(commands.length + 1, options.onProgress);
  try {
    await writeTree(sources, folder);
    await mkdir(places.output);
    for (const command of commands) await report(command.label, () => run(command, folder, options.signal));
    await report("tidying up", async () => {
      if (options.typeCheck) await writeFile(join(places.output, TYPE_CHECKED), "");
      await moveInto(places.output, join(cacheDir, hash), options.typeCheck);
      await removeFolder(folder);
    });
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

/** Runs a step, telling of it at its beginning and every second. */
function reporter(steps: number, onProgress: UiBuildOptions["onProgress"]) {
  let step = 0;
  return async (label: string, task: () => Promise<void>): Promise<void> => {
    step += 1;
    const begin = performance.now();
    const tell = (): void => {
      onProgress?.({ step, steps, label, seconds: Math.floor((performance.now() - begin) / 1000) });
    };
    tell();
    const timer = setInterval(tell, 1000);
    try {
      await task();
    } finally {
      clearInterval(timer);
    }
  };
}

function defaultCommands(places: UiBuildPlaces, typeCheck = false): UiBuildCommand[] {
  const node = process.execPath;
  const install: UiBuildCommand = { label: "installing front-end packages", ...npmCommand(INSTALL) };
  const check: UiBuildCommand = {
    label: "type-checking the front end",
    file: node,
    args: [require.resolve("typescript/bin/tsc"), "--project", places.folder],
  };
  const bundle: UiBuildCommand = {
    label: "bundling the front end",
    file: node,
    args: [join(places.folder, "bundle.mjs"), places.output, require.resolve("plotly.js"), places.hash],
  };
  return typeCheck ? [install, check, bundle] : [install, bundle];
}

/**
 * Packages come from npm's cache where it has them; none of their scripts is run. Who is offline is told so after
 * half a minute, not after several.
 */
const INSTALL = [
  "ci",
  "--include=dev",
  "--prefer-offline",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--loglevel=error",
  "--fetch-retry-mintimeout=2000",
  "--fetch-retry-maxtimeout=8000",
];

/** npm's own script with this Node where it is found (so that it can be stopped), otherwise the command `npm`. */
function npmCommand(args: readonly string[]): { file: string; args: readonly string[]; shell?: boolean } {
  const binaries = dirname(process.execPath);
  const script = [
    process.env["npm_execpath"] ?? "",
    join(binaries, "node_modules", "npm", "bin", "npm-cli.js"),
    join(binaries, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
  ].find((path) => path.endsWith("npm-cli.js") && existsSync(path));
  if (script !== undefined) return { file: process.execPath, args: [script, ...args] };
  return { file: "npm", args, shell: process.platform === "win32" };
}

/**
 * Runs a command to its end.
 * @throws Error with the last lines of its output if it fails; the signal's reason once a cancelled command has ended.
 */
async function run(command: UiBuildCommand, cwd: string, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(command.file, command.args, {
    cwd,
    env: environment(process.env),
    shell: command.shell ?? false,
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  // Nothing outside the temporary folder is at stake, and npm takes its time over politer signals.
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop);
  try {
    const [outcome, lines] = await Promise.all([ending(child), lastLines(child)]);
    signal?.throwIfAborted();
    if (outcome === undefined) return;
    const output = lines.length > 0 ? `:\n${lines.join("\n")}` : ", which printed nothing";
    throw new Error(`the notebook front end was not built: ${command.label} failed (${outcome})${output}`);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** How a process ended, undefined if well. */
function ending(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      resolve(error.message);
    });
    child.once("close", (code, signal) => {
      resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${String(code)}`);
    });
  });
}

/** The last lines that a process printed, on either stream, without stack traces. */
async function lastLines(child: ChildProcess): Promise<string[]> {
  let text = "";
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-8000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  await ending(child);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !/^(npm error)?\s+at /.test(line));
  return lines.slice(-LAST_LINES);
}

/** The environment without what a surrounding npm command would have this one do elsewhere or otherwise. */
function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const misleading =
    /^npm_config_(prefix|local_prefix|global|location|workspaces?|dry_run|omit|package_lock(_only)?)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.test(name)));
}

async function writeTree(files: ReadonlyMap<string, Uint8Array>, folder: string): Promise<void> {
  for (const [name, content] of files) {
    const path = join(folder, ...name.split("/"));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** Puts a finished build in place; where another process was faster, its build stays and takes over the mark. */
async function moveInto(output: string, target: string, typeCheck = false): Promise<void> {
  try {
    await rename(output, target);
  } catch (error) {
    if (!isBuilt(target)) throw error;
    if (typeCheck) await writeFile(join(target, TYPE_CHECKED), "");
  }
}

/** Removes what builds left behind whose processes are gone. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  for (const name of await readdir(cacheDir)) {
    const owner = TEMPORARY.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await removeFolder(join(cacheDir, name));
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

function plotlyVersion(): string {
  const { version } = require("plotly.js/package.json") as { version: string };
  return version;
}
