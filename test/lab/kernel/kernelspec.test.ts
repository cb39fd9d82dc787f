import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { userKernelsFolder } from "../../../src/lab/kernel/kernelspec.js";

describe("the folder of a user's kernels", () => {
  // https://docs.jupyter.org/en/latest/use/jupyter-directories.html
  it.each([
    ["linux", {}, join(homedir(), ".local/share/jupyter/kernels")],
    ["linux", { XDG_DATA_HOME: "/data" }, "/data/jupyter/kernels"],
    ["darwin", {}, join(homedir(), "Library/Jupyter/kernels")],
    ["win32", { APPDATA: "/roaming" }, "/roaming/jupyter/kernels"],
    ["linux", { JUPYTER_DATA_DIR: "/jupyter", XDG_DATA_HOME: "/data" }, "/jupyter/kernels"],
  ] as const)("%s with %j is %s", (platform, env, folder) => {
    expect(userKernelsFolder(platform, env)).toBe(folder);
  });
});
