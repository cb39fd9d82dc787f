import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { executeNotebook } from "../src/lab/notebook/execute.js";
import type { CodeCell } from "../src/lab/notebook/format.js";
import { code, notebook } from "./lab/notebook/build.js";

const project = join(import.meta.dirname, "..");
const text = (path: string): string => readFileSync(join(project, path), "utf8");
const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/brenkamp/README.md"];

describe("documentation", () => {
  it("README's example runs and shows what it says", async () => {
    const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(text("README.md")) ?? [];
    const [, shown = ""] = /\/\/ shows: (.+)/.exec(example) ?? [];
    const run = await executeNotebook(notebook(code(example)), { cwd: join(project, "notebooks") });
    expect(run.failure?.output.traceback).toBeUndefined();
    const plain = (run.notebook.cells[0] as CodeCell).outputs.map((output) =>
      output.output_type === "display_data" ? String(output.data["text/plain"]) : "",
    );
    expect(shown).not.toBe("");
    expect(plain.join()).toContain(shown);
  });

  it("README gives a reason for every dependency, and names no other", () => {
    const manifest = JSON.parse(text("package.json")) as Record<
      "dependencies" | "devDependencies",
      Record<string, string>
    >;
    const [, section = ""] = text("README.md").split("## Dependencies");
    const rows = [...section.matchAll(/^\| ([@\w./-]+) \| \w/gm)].map(([, name]) => name);
    const listed = rows.filter((name) => name !== "package");
    expect(listed.sort()).toEqual(Object.keys(manifest.dependencies).sort());
    const unexplained = Object.keys(manifest.devDependencies).filter(
      (name) => !name.startsWith("@types/") && !section.includes(name),
    );
    expect(unexplained).toEqual([]);
  });

  it("README lists every study", () => {
    const studies = readdirSync(join(project, "notebooks")).filter((name) => name.endsWith(".ipynb"));
    for (const study of studies) expect(text("README.md")).toContain(`](notebooks/${study})`);
  });

  it.each(pages)("%s links to files that are there", (page) => {
    const links = [...text(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target ?? "");
    const missing = links.filter(
      (link) => !/^[a-z]+:/.test(link) && !existsSync(join(project, dirname(page), link)),
    );
    expect(missing).toEqual([]);
  });
});
