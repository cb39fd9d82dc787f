import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseNotebook, serialiseNotebook } from "../src/lab/notebook/format.js";
import { code, markdown, notebook } from "./lab/notebook/build.js";

const cli = join(import.meta.dirname, "../dist/cli.js");
let folder: string;

const clientele = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [cli, ...args], { cwd: folder, encoding: "utf8" });

const figure = JSON.stringify({
  data: [{ type: "bar", x: ["a", "b"], y: [1, 2] }],
  layout: { title: { text: "Two" } },
});
const study = notebook(
  markdown("# Is two enough?\n\nA question."),
  code("const count = 2; // how many", "parameters"),
  code(
    `import * as tslab from "tslab";\ntslab.display.raw("application/vnd.plotly.v1+json", ${figure} as any);`,
  ),
  code("count * 10"),
  code("let answer: number | undefined;", "exercise"),
  code("answer = 20; // the secret", "solution"),
  markdown("## Decision\n\nTwo is enough."),
);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clientele-cli-"));
  mkdirSync(join(folder, "notebooks"));
  writeFileSync(join(folder, "notebooks", "01-two.ipynb"), serialiseNotebook(study));
  writeFileSync(join(folder, "broken.ipynb"), '{"cells": [');
  writeFileSync(
    join(folder, "fails.ipynb"),
    serialiseNotebook(notebook(code("1;"), code('throw new Error("no & <data>");'))),
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it.each([["help"], ["--help"], ["run", "--help"], ["sample", "--out", "x", "--help"]])(
  "says what it can do when asked: %s",
  (...args) => {
    const { status, stdout, stderr } = clientele(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^clientele COMMAND \[options\]/);
  },
);

describe("command line", () => {
  it("runs, stores outputs with a picture of each figure, and proves them", () => {
    const run = clientele("run", "notebooks/01-two.ipynb");
    expect(run.stdout).toMatch(/01-two\.ipynb: 5 cells in \d+\.\d s/);
    expect(run.status).toBe(0);
    const stored = parseNotebook(readFileSync(join(folder, "notebooks/01-two.ipynb"), "utf8"), "stored");
    expect(JSON.stringify(stored.cells[2])).toContain("image/svg+xml");
    const check = clientele("check", "--junit", "junit.xml");
    expect(check.stdout).toContain("same outputs");
    expect(check.status).toBe(0);
    expect(readFileSync(join(folder, "junit.xml"), "utf8")).toContain('tests="1" failures="0"');
  });

  it("notices an output that is no longer true", () => {
    const path = join(folder, "notebooks/01-two.ipynb");
    const before = readFileSync(path, "utf8");
    writeFileSync(path, before.replace("count * 10", "count * 11"));
    const check = clientele("check");
    writeFileSync(path, before);
    expect(check.status).toBe(1);
    expect(check.stderr).toContain("cell 4\n    - 20\n    + 22");
  });

  it("runs with other parameters into another file", () => {
    const run = clientele(
      "run",
      "notebooks/01-two.ipynb",
      "-p",
      "count=3",
      "--out",
      "out/three.ipynb",
      "--html",
      "out/three.html",
    );
    expect(run.stderr).not.toContain("clientele:");
    expect(readFileSync(join(folder, "out/three.ipynb"), "utf8")).toContain('"30"');
    expect(readFileSync(join(folder, "out/three.html"), "utf8")).toContain("Is two enough?");
    expect(readFileSync(join(folder, "notebooks/01-two.ipynb"), "utf8")).not.toContain('"30"');
  });

  it("exports all studies with an index", () => {
    const run = clientele("export", "--static", "--out", "site");
    expect(run.status).toBe(0);
    expect(readdirSync(join(folder, "site")).sort()).toEqual(["01-two.html", "index.html"]);
    expect(readFileSync(join(folder, "site/index.html"), "utf8")).toContain('href="01-two.html"');
  });

  it("writes the edition for learners, without the solution", () => {
    expect(clientele("learner", "--out", "course").status).toBe(0);
    const edition = readFileSync(join(folder, "course/01-two.ipynb"), "utf8");
    expect(edition).not.toContain("the secret");
    expect(edition).toContain("let answer");
    const lost = clientele("learner", "--out", "notebooks");
    expect(lost.stderr).toContain("would overwrite notebooks/01-two.ipynb itself");
  });

  it("installs the kernelspec, and does not replace another's unasked", () => {
    const env = { ...process.env, JUPYTER_DATA_DIR: join(folder, "jupyter") };
    const install = (...args: string[]) =>
      spawnSync(process.execPath, [cli, "kernelspec", "install", ...args], { env, encoding: "utf8" });
    expect(install().status).toBe(0);
    const file = join(folder, "jupyter/kernels/tslab/kernel.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      language: "typescript",
      interrupt_mode: "message",
    });
    expect(install().status).toBe(0);
    writeFileSync(file, '{"argv": ["tslab"]}');
    expect(install().stderr).toContain("installed by another program; add --force");
    expect(install("--force").status).toBe(0);
  });

  it("tells which cell failed, with source and trace, and reports it to CI", () => {
    const run = clientele("run", "fails.ipynb", "--junit", "failed.xml");
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(
      'fails.ipynb: cell 2 failed\n  | throw new Error("no & <data>");\n  Error: no & <data>\n      at cell [2]:1:7',
    );
    const report = readFileSync(join(folder, "failed.xml"), "utf8");
    expect(report).toContain('failures="1"');
    expect(report).toContain("no &amp; &lt;data&gt;");
  });

  it.each([
    [["frobnicate"], 2, 'no command "frobnicate"'],
    [["run"], 2, "run needs a notebook"],
    [["run", "a.ipynb", "--nonsense"], 2, "Unknown option '--nonsense'"],
    [["run", "a.ipynb", "-p", "count"], 2, '-p takes NAME=VALUE, got "count"'],
    [["run", "a.ipynb", "--timeout", "soon"], 2, '--timeout must be a number from 0, got "soon"'],
    [["export", "--code", "blue"], 2, '--code must be folded, hidden or shown, got "blue"'],
    [["run", "absent.ipynb"], 1, "absent.ipynb: cannot be read (ENOENT)"],
    [["run", "broken.ipynb"], 1, "broken.ipynb: not a complete notebook file"],
    [["run", "notebooks/01-two.ipynb", "-p", "count=3"], 1, "-p needs --out or --html"],
    [
      ["run", "notebooks/01-two.ipynb", "-p", "cuont=3", "--out", "x.ipynb"],
      1,
      "parameter cuont is not declared; allowed: count",
    ],
    [
      ["run", "notebooks/01-two.ipynb", "-p", "count=three", "--out", "x.ipynb"],
      1,
      "parameter count: Type 'string' is not assignable to type 'number'",
    ],
    [["sample"], 2, "sample needs --out DIR"],
  ])("refuses %j clearly", (args, status, message) => {
    const result = clientele(...args);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain("    at ");
    expect(result.status).toBe(status);
    expect(existsSync(join(folder, "x.ipynb"))).toBe(false);
  });
});
