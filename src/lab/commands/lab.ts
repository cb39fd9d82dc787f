import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startServer } from "../server/server.js";
import { ensureUi } from "../ui-build.js";
import { seconds, type Terminal } from "./terminal.js";

/** What `clientele lab` is asked for. */
export interface LabOptions {
  /** Folder whose notebooks are served. */
  readonly root: string;
  readonly port?: number;
  /** Whether to open a browser where there is one. */
  readonly browser: boolean;
  readonly signal: AbortSignal;
}

/** Builds the front end if need be, serves notebooks until the signal, and leaves no kernel behind. */
export async function labCommand(options: LabOptions, terminal: Terminal): Promise<void> {
  const uiDir = await ensureUi({
    signal: options.signal,
    // A terminal counts the seconds; a log gets one line a step.
    onProgress: ({ step, steps, label, seconds: elapsed }) => {
      const text = `Building the notebook front end (once): ${label} (${step}/${steps})`;
      terminal.progress(`${text} ${seconds(elapsed * 1000)}`, text);
    },
  });
  const server = await startServer({
    root: resolve(options.root),
    uiDir,
    warmKernel: true,
    log: (line) => {
      terminal.err(line);
    },
    ...(options.port !== undefined && { port: options.port }),
  });
  terminal.out(`Clientele serves ${resolve(options.root)}\n\n    ${server.url}\n\nStop with Ctrl+C.`);
  const redirect = options.browser ? await openBrowser(server.url) : undefined;
  const stop = (): void => void server.close();
  options.signal.addEventListener("abort", stop);
  if (options.signal.aborted) stop();
  await server.closed;
  if (redirect !== undefined) await rm(redirect, { recursive: true, force: true });
}

/**
 * Opens the system's browser; a machine without one is no error, the address is printed. Other users of the machine
 * can read command lines, so the browser is given a private file that leads to the address with its token.
 * Returns the folder of that file.
 */
async function openBrowser(url: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clientele-open-")); // mode 0700
  const page = join(folder, "open.html");
  await writeFile(
    page,
    `<!DOCTYPE html><meta http-equiv="refresh" content="0; url=${url}"><title>Clientele</title>`,
  );
  const commands: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
    darwin: ["open", page],
    win32: ["cmd", "/c", "start", "", page],
  };
  const [command, ...args] = commands[process.platform] ?? ["xdg-open", page];
  const opener = spawn(command, args, { stdio: "ignore", detached: true });
  opener.on("error", () => undefined);
  opener.unref();
  return folder;
}
