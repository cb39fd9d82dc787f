import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installKernelSpec } from "../../src/lab/kernel/kernelspec.js";
import { compareOutputs } from "../../src/lab/notebook/compare.js";
import { executeNotebook } from "../../src/lab/notebook/execute.js";
import { type Notebook, parseNotebook } from "../../src/lab/notebook/format.js";

const project = join(import.meta.dirname, "../..");
const studies = readdirSync(join(project, "notebooks")).filter((name) => name.endsWith(".ipynb"));
const first = studies[0] ?? "";
const read = (path: string): Notebook => parseNotebook(readFileSync(path, "utf8"), path);

/** Stored outputs without what another executor may write otherwise: the words of a last expression's type. */
const differences = (fresh: Notebook): unknown =>
  compareOutputs(read(join(project, "notebooks", first)), fresh);

let elsewhere: string;
beforeAll(() => {
  // Another folder, with the project's packages in reach as in any folder that has clientele installed.
  elsewhere = mkdtempSync(join(tmpdir(), "clientele elsewhere "));
  for (const name of ["notebooks", "data"])
    cpSync(join(project, name), join(elsewhere, name), { recursive: true });
  writeFileSync(join(elsewhere, "package.json"), "{}");
  symlinkSync(join(project, "node_modules"), join(elsewhere, "node_modules"));
});
afterAll(() => {
  rmSync(elsewhere, { recursive: true });
});

describe("studies elsewhere", { timeout: 240_000 }, () => {
  it.each(studies)("%s gives its stored outputs in another folder", async (name) => {
    const path = join(elsewhere, "notebooks", name);
    const run = await executeNotebook(read(path), { cwd: join(elsewhere, "notebooks") });
    expect(run.failure).toBeUndefined();
    expect(compareOutputs(read(path), run.notebook)).toEqual([]);
  });

  it("runs on a stock tslab", async () => {
    const tslab = createRequire(import.meta.url).resolve("tslab/bin/tslab");
    const run = await executeNotebook(read(join(elsewhere, "notebooks", first)), {
      cwd: join(elsewhere, "notebooks"),
      kernel: { argv: [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"] },
    });
    expect(run.failure).toBeUndefined();
  });

  it("runs in real Jupyter on our kernelspec", async (context) => {
    const nbconvert = ["/usr/bin/jupyter-nbconvert", "jupyter-nbconvert"].find(
      (command) => spawnSync(command, ["--version"]).status === 0,
    );
    if (nbconvert === undefined) context.skip("left out: no jupyter-nbconvert on this machine");
    else {
      const data = join(elsewhere, "jupyter");
      await installKernelSpec({ folder: join(data, "kernels") });
      const run = spawnSync(
        nbconvert,
        [
          "--to",
          "notebook",
          "--execute",
          "--output",
          "executed.ipynb",
          "--ExecutePreprocessor.timeout=120",
          join(elsewhere, "notebooks", first),
        ],
        { encoding: "utf8", env: { ...process.env, JUPYTER_DATA_DIR: data, JUPYTER_PREFER_ENV_PATH: "0" } },
      );
      expect(run.stderr.split("\n").slice(-15).join("\n")).not.toContain("Error");
      expect(differences(read(join(elsewhere, "notebooks", "executed.ipynb")))).toEqual([]);
    }
  });
});

const nodes = (process.env["CLIENTELE_NODES"] ?? "")
  .split(delimiter)
  .filter((path) => path !== "" && existsSync(path));
if (nodes.length === 0) console.log("other Node versions left out: CLIENTELE_NODES names none");

describe.skipIf(nodes.length === 0)("other Node versions", { timeout: 240_000 }, () => {
  it.each(nodes)("run the kernel, a study and the server: %s", (node) => {
    const check = spawnSync(
      node,
      [join(project, "dist/cli.js"), "check", join(elsewhere, "notebooks", first)],
      { encoding: "utf8" },
    );
    expect(check.stdout + check.stderr).toContain("same outputs");
    const server = JSON.stringify(new URL("../../dist/lab/server/server.js", import.meta.url).href);
    const folder = JSON.stringify(elsewhere);
    const script = `import { startServer } from ${server};
      const server = await startServer({ root: ${folder}, uiDir: ${folder}, stateDir: ${folder} + "/state", port: 0 });
      const call = (path, init) => fetch(new URL(path, server.url), { ...init, headers: { authorization: "token " + server.token } });
      const body = JSON.stringify({ path: "notebooks/${first}", type: "notebook", name: "", kernel: { name: "tslab" } });
      const session = await call("/api/sessions", { method: "POST", body });
      console.log(session.status, (await call("/api/contents/notebooks/${first}")).status, process.version);
      await server.close();`;
    const served = spawnSync(node, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(served.stdout).toContain("201 200 v");
    expect(served.status).toBe(0);
  });
});
