import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DataError } from "../../core/errors.js";
import { writeFileAtomic } from "../files.js";
import { launcherArgv } from "./client.js";

/** The kernelspec of our kernel, as `kernel.json` holds it. */
export function kernelSpec(): Readonly<Record<string, unknown>> {
  return {
    argv: launcherArgv(),
    display_name: "TypeScript",
    language: "typescript",
    interrupt_mode: "message",
    env: {},
    metadata: { clientele: true },
  };
}

/** The folder where Jupyter looks for this user's kernels, on this system. */
export function userKernelsFolder(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const data = env["JUPYTER_DATA_DIR"];
  if (data !== undefined && data !== "") return join(data, "kernels");
  if (platform === "darwin") return join(homedir(), "Library", "Jupyter", "kernels");
  if (platform === "win32") return join(env["APPDATA"] ?? homedir(), "jupyter", "kernels");
  return join(env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "jupyter", "kernels");
}

/**
 * Installs our kernel as `tslab` for a JupyterLab or VS Code on this machine, without Python; returns the file written.
 * @throws DataError if another program's kernel of that name is there and `force` is not set.
 */
export async function installKernelSpec(options: { folder?: string; force?: boolean } = {}): Promise<string> {
  const file = join(options.folder ?? userKernelsFolder(), "tslab", "kernel.json");
  const present = await readFile(file, "utf8").catch(() => undefined);
  if (present !== undefined && !present.includes('"clientele"') && options.force !== true) {
    throw new DataError(
      `${file}: a kernel named tslab is installed by another program; add --force to replace it`,
    );
  }
  await writeFileAtomic(file, `${JSON.stringify(kernelSpec(), null, 1)}\n`);
  return file;
}
