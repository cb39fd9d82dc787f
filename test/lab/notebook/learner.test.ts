import { describe, expect, it } from "vitest";
import { type Notebook, parseNotebook, serialiseNotebook, tagsOf } from "../../../src/lab/notebook/format.js";
import { learnerEdition } from "../../../src/lab/notebook/learner.js";
import { code, display, notebookOf, studyNotebook, text } from "../export/study.js";

const shown = (value: string): ReturnType<typeof display> => display({ "text/plain": value });
const outputsOf = (notebook: Notebook): number[] =>
  notebook.cells.flatMap((cell) => (cell.cell_type === "code" ? [cell.outputs.length] : []));

describe("the learner edition", () => {
  const full = studyNotebook();
  const learner = learnerEdition(full);

  it("has no solution and no trace of its result", () => {
    expect(learner.cells.some((cell) => tagsOf(cell).includes("solution"))).toBe(false);
    expect(JSON.stringify(learner)).not.toMatch(/shareOfTop|0\.4953/);
  });

  it("keeps exercises and checks, without outputs and counts", () => {
    const tasks = learner.cells.filter((cell) =>
      tagsOf(cell).some((tag) => tag === "exercise" || tag === "check"),
    );
    expect(tasks.length).toBe(3);
    for (const cell of tasks)
      if (cell.cell_type === "code") expect([cell.outputs, cell.execution_count]).toEqual([[], null]);
  });

  it("keeps all else: texts, figures, the record of data and versions, ids and metadata", () => {
    const others = (notebook: Notebook): Notebook["cells"] =>
      notebook.cells.filter((cell) => tagsOf(cell).length === 0);
    expect(others(learner)).toEqual(others(full));
    expect(JSON.stringify(learner)).toContain("application/vnd.clientele.study+json");
    expect(learner.metadata).toEqual(full.metadata);
  });

  it("says at the top what it is", () => {
    expect(learner.cells[0]?.source).toMatch(/\*\*Learner edition\.\*\*.*solutions are left out/s);
  });

  it("made twice is made once, and leaves its source alone", () => {
    const before = JSON.stringify(full);
    expect(learnerEdition(learner)).toEqual(learner);
    expect(JSON.stringify(full)).toBe(before);
    expect(parseNotebook(serialiseNotebook(learner), "learner.ipynb").cells.length).toBe(
      learner.cells.length,
    );
  });
});

describe("cells that compute with a solution", () => {
  const solved = (...later: string[]): number[] =>
    outputsOf(
      learnerEdition(
        notebookOf(
          code("let answer: number | undefined;", [], ["exercise"]),
          code("answer = 3; const { a, b: [c] } = parts; function helper() {}", [shown("3")], ["solution"]),
          ...later.map((source) => code(source, [shown("x")])),
        ),
      ),
    ).slice(1);

  it("lose their outputs, and so do the cells that build on those", () => {
    expect(solved("show(answer)")).toEqual([0]);
    expect(solved("show(a + c)")).toEqual([0]);
    expect(solved("helper()")).toEqual([0]);
    expect(solved("const twice = 2 * answer", "show(twice)", "show(other)")).toEqual([0, 0, 1]);
  });

  it("are not those that only mention the name", () => {
    expect(solved('show("the answer") // answer', "show(x.answer)", "show(answers)")).toEqual([1, 1, 1]);
  });
});

describe("a notebook without exercises", () => {
  it("gets the note alone", () => {
    const learner = learnerEdition(notebookOf(text("# Title"), code("1", [shown("1")])));
    expect(learner.cells.length).toBe(3);
    expect(outputsOf(learner)).toEqual([1]);
  });
});
