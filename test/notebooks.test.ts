import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareOutputs } from "../src/lab/notebook/compare.js";
import { executeNotebook } from "../src/lab/notebook/execute.js";
import {
  type CodeCell,
  type Notebook,
  parseNotebook,
  serialiseNotebook,
  tagsOf,
} from "../src/lab/notebook/format.js";
import { learnerEdition } from "../src/lab/notebook/learner.js";

const project = join(import.meta.dirname, "..");
const folder = join(project, "notebooks");
const studies = readdirSync(folder).filter((name) => name.endsWith(".ipynb"));
const text = (name: string): string => readFileSync(join(folder, name), "utf8");
const read = (name: string): Notebook => parseNotebook(text(name), name);
const codeCells = (notebook: Notebook): CodeCell[] =>
  notebook.cells.filter((cell) => cell.cell_type === "code");

/** What each `check` of a notebook said. */
const outcomes = (notebook: Notebook): unknown[] =>
  codeCells(notebook).flatMap((cell) =>
    cell.outputs.flatMap((output) => {
      const said =
        output.output_type === "display_data" && output.data["application/vnd.clientele.check+json"];
      return said ? [(said as { outcome: unknown }).outcome] : [];
    }),
  );
const mimes = (notebook: Notebook): string[] =>
  codeCells(notebook).flatMap((cell) =>
    cell.outputs.flatMap((output) => (output.output_type === "display_data" ? Object.keys(output.data) : [])),
  );

describe.each(studies)("%s", (name) => {
  const study = read(name);

  it("is stored as nbformat writes it, executed, without an error", () => {
    expect(serialiseNotebook(study)).toBe(text(name));
    expect(codeCells(study).map((cell) => cell.execution_count)).toEqual(
      codeCells(study).map((_, index) => index + 1),
    );
    expect(
      codeCells(study)
        .flatMap((cell) => cell.outputs)
        .filter((output) => output.output_type === "error"),
    ).toEqual([]);
    expect(study.metadata["kernelspec"]).toMatchObject({ name: "tslab" });
  });

  it("asks a question, states what it depends on, shows figures and a picture of each", () => {
    expect(study.cells[0]?.source).toMatch(/^# .+\?\n/);
    const kinds = mimes(study);
    const count = (mime: string): number => kinds.filter((kind) => kind === mime).length;
    expect(count("application/vnd.clientele.study+json")).toBe(1);
    expect(count("application/vnd.plotly.v1+json")).toBeGreaterThanOrEqual(5);
    expect(count("image/svg+xml")).toBe(count("application/vnd.plotly.v1+json"));
  });

  it("has short cells, and folds its solutions", () => {
    const long = codeCells(study).filter((cell) => cell.source.split("\n").length > 9);
    expect(long.map((cell) => cell.source)).toEqual([]);
    const solutions = study.cells.filter((cell) => tagsOf(cell).includes("solution"));
    expect(solutions.length).toBeGreaterThanOrEqual(3);
    for (const { metadata } of solutions) expect(metadata["jupyter"]).toMatchObject({ source_hidden: true });
  });

  it("has only right answers stored, and none tried in the learner's edition", async () => {
    const checks = study.cells.filter((cell) => tagsOf(cell).includes("check")).length;
    expect(outcomes(study)).toEqual(Array.from({ length: checks }, () => "right"));
    const learner = await executeNotebook(learnerEdition(study), { cwd: folder });
    expect(learner.failure?.output.traceback).toBeUndefined();
    expect(outcomes(learner.notebook)).toEqual(Array.from({ length: checks }, () => "not tried"));
  }, 300_000);

  it("notices that its data changed", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "clientele-data-"));
    try {
      for (const part of ["data", "notebooks"])
        cpSync(join(project, part), join(elsewhere, part), { recursive: true });
      for (const set of readdirSync(join(elsewhere, "data"))) {
        for (const file of readdirSync(join(elsewhere, "data", set))) {
          if (file.endsWith(".csv")) appendFileSync(join(elsewhere, "data", set, file), "\n");
        }
      }
      const stated = study.cells.findIndex((cell) => cell.source.includes("study({"));
      const beginning = { ...study, cells: study.cells.slice(0, stated + 1) };
      const run = await executeNotebook(beginning, { cwd: join(elsewhere, "notebooks") });
      expect(compareOutputs(beginning, run.notebook).map(({ cell }) => cell)).toEqual([stated + 1]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  }, 300_000);
});
