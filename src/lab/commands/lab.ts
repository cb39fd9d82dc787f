import { spawn } from "node:child_process";
import { resolve } from "node:path";
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
    onProgress: ({ step, steps, label, seconds: elapsed }) => {
      terminal.progress(
        `Building the notebook front end (once): ${label} (${step}/${steps}) ${seconds(elapsed * 1000)}`,
      );
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
  if (options.browser) openBrowser(server.url);
  await new Promise<void>((stop) => {
    options.signal.addEventListener("abort", () => {
      stop();
    });
  });
  await server.close();
}

/** Opens the system's browser; a machine without one is no error, the address is printed. */
function openBrowser(url: string): void {
  const commands: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
    darwin: ["open", url],
    win32: ["cmd", "/c", "start", "", url],
  };
  const [command, ...args] = commands[process.platform] ?? ["xdg-open", url];
  const opener = spawn(command, args, { stdio: "ignore", detached: true });
  opener.on("error", () => undefined);
  opener.unref();
}
