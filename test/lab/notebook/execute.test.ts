import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareOutputs } from "../../../src/lab/notebook/compare.js";
import { executeNotebook, type NotebookRun } from "../../../src/lab/notebook/execute.js";
import {
  type CodeCell,
  type Notebook,
  type Output,
  serialiseNotebook,
} from "../../../src/lab/notebook/format.js";
import { code, markdown, notebook } from "./build.js";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "clientele-execute-"));
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

const run = (made: Notebook, options: object = {}): Promise<NotebookRun> =>
  executeNotebook(made, { cwd, ...options });
const outputsOf = (made: Notebook, cell: number): Output[] => (made.cells[cell] as CodeCell).outputs;

describe("executor", () => {
  it("runs every code cell in order, stores outputs and counts, and leaves the notebook given alone", async () => {
    const made = notebook(
      markdown("# A"),
      code("const a = 2;"),
      code(""),
      code("console.log(a); console.log(a + 1); a * 3"),
    );
    const before = JSON.stringify(made);
    const told: number[] = [];
    const result = await run(made, { onCell: (cell: { cell: number }) => told.push(cell.cell) });
    expect(result.failure).toBeUndefined();
    expect(told).toEqual([2, 4]);
    expect(outputsOf(result.notebook, 3)).toEqual([
      { output_type: "stream", name: "stdout", text: "2\n3\n" },
      { output_type: "execute_result", data: { "text/plain": "6" }, metadata: {}, execution_count: 2 },
    ]);
    expect(JSON.stringify(made)).toBe(before);
  });

  it("gives the same file again", async () => {
    const made = notebook(
      code("[Math.PI, 1 / 3]"),
      code('import { table } from "arquero";\ntable({ a: [1, 2] }).objects()'),
    );
    const [first, second] = [await run(made), await run(made)];
    expect(serialiseNotebook(second.notebook)).toBe(serialiseNotebook(first.notebook));
    expect(compareOutputs(first.notebook, second.notebook)).toEqual([]);
  });

  it("stops at the first error with its cell and source, unless the cell is meant to raise", async () => {
    const made = notebook(
      code('throw new RangeError("meant");', "raises-exception"),
      code("1;"),
      code("undefinedName;"),
      code('console.log("never");'),
    );
    const result = await run(made);
    expect(outputsOf(result.notebook, 0)[0]).toMatchObject({ output_type: "error", ename: "RangeError" });
    expect(result.failure).toMatchObject({
      cell: 3,
      source: "undefinedName;",
      output: { ename: "TypeScriptError" },
    });
    expect(outputsOf(result.notebook, 3)).toEqual([]);
  });

  it("leaves out cells tagged skip-execution", async () => {
    const result = await run(notebook(code("throw new Error();", "skip-execution"), code("1")));
    expect(result.cells.map(({ cell }) => cell)).toEqual([2]);
  });

  it.each([
    ["a loop", "while (true) {}"],
    ["an await", "await new Promise(() => undefined);"],
  ])("ends %s that never ends, and says so", async (_what, source) => {
    const result = await run(notebook(code('console.log("before");'), code(source)), { timeoutMs: 1500 });
    expect(result.failure).toMatchObject({
      cell: 2,
      output: { ename: "Timeout", evalue: "the cell did not end within 1.5 s" },
    });
  });

  it("reports a cell that exits the process", async () => {
    const result = await run(notebook(code('console.log("bye"); process.exit(4);')));
    expect(result.failure).toMatchObject({ cell: 1, output: { ename: "KernelDied" } });
    expect(result.failure?.output.evalue).toContain("exit code 4");
  });

  it("cuts a flood of 50 MB and says how much is left out", async () => {
    const source =
      'const line = "x".repeat(999) + "\\n"; for (let i = 0; i < 50_000; i += 1) process.stdout.write(line);';
    const [stream, notice] = outputsOf((await run(notebook(code(source)))).notebook, 0);
    expect(stream).toMatchObject({ output_type: "stream", name: "stdout" });
    expect((stream as { text: string }).text).toHaveLength(5_000_000);
    expect(notice).toEqual({
      output_type: "stream",
      name: "stderr",
      text: "[45000000 more characters were printed and left out]\n",
    });
  });

  it("can be cancelled", async () => {
    const cancel = new AbortController();
    const running = run(notebook(code("1"), code("await new Promise(() => undefined);")), {
      signal: cancel.signal,
      onCell: () => setTimeout(() => cancel.abort(new Error("stopped by the reader")), 100),
    });
    await expect(running).rejects.toThrow("stopped by the reader");
  });

  it("draws a picture for every figure", async () => {
    const figure = { data: [{ type: "bar", y: [1] }], layout: {} };
    const source = `import * as tslab from "tslab";\ntslab.display.raw("application/vnd.plotly.v1+json", ${JSON.stringify(figure)} as any);`;
    const renderer = { render: (given: unknown) => Promise.resolve(`<svg>${JSON.stringify(given)}</svg>`) };
    const [output] = outputsOf((await run(notebook(code(source)), { renderer })).notebook, 0);
    expect(output).toMatchObject({ data: { "image/svg+xml": `<svg>${JSON.stringify(figure)}</svg>` } });
  });
});

describe("parameters", () => {
  const declared = code(
    'const bins = 5;\nconst day = "2025-12-31"; // last day\nconst rule: "mean" | "median" = "mean";\nconst shares = [0.2, 0.8];',
    "parameters",
  );
  const study = notebook(declared, code("console.log(JSON.stringify([bins, day, rule, shares]));"));
  const printed = async (parameters: Record<string, string>): Promise<unknown> => {
    const { notebook: made } = await run(study, { parameters });
    const last = outputsOf(made, made.cells.length - 1)[0] as { text: string };
    return JSON.parse(last.text);
  };

  it("are set by a cell after the one that declares them", async () => {
    expect(await printed({ bins: "6", day: "2025-06-30", rule: "median", shares: "[0.1]" })).toEqual([
      6,
      "2025-06-30",
      "median",
      [0.1],
    ]);
    // A text stays a text even if it looks like a number.
    expect(await printed({ day: "2025" })).toEqual([5, "2025", "mean", [0.2, 0.8]]);
  });

  it("leave counts as they are without parameters", async () => {
    const { notebook: made } = await run(study, { parameters: { bins: "6" } });
    expect(made.cells.map((cell) => (cell as CodeCell).execution_count)).toEqual([1, 2, 3]);
    expect(made.cells[1]).toMatchObject({
      source: "const bins = 6;",
      metadata: { tags: ["injected-parameters"] },
    });
  });

  it.each([
    [
      { bins: "six" },
      /parameter bins: Type 'string' is not assignable to type 'number'\. Given "six", the notebook declares bins = 5/,
    ],
    [{ rule: "mode" }, /parameter rule: Type '"mode"' is not assignable to type '"mean" \| "median"'/],
    [{ shares: "0.5" }, /parameter shares: Type 'number' is not assignable to type 'number\[\]'/],
    [{ bin: "6" }, /parameter bin is not declared; allowed: bins, day, rule, shares/],
  ])("are checked against their declaration: %j", async (parameters, message) => {
    await expect(run(study, { parameters })).rejects.toThrow(message);
  });
});

describe("comparison with stored outputs", () => {
  const withText = (text: string, ...tags: string[]): Notebook =>
    notebook({ ...code("x", ...tags), outputs: [{ output_type: "stream", name: "stdout", text }] });

  it("takes numbers that agree to ten digits as equal, and no others", () => {
    expect(compareOutputs(withText("share 0.333333333333"), withText("share 0.333333333334"))).toEqual([]);
    expect(compareOutputs(withText("share 0.3333333333"), withText("share 0.3333333334"))).toEqual([
      { cell: 1, lines: ["- share 0.3333333333", "+ share 0.3333333334"] },
    ]);
    // A colour and a version are no numbers.
    expect(compareOutputs(withText("#009e73 1.0.22"), withText("#009e74 1.0.22"))).toHaveLength(1);
    // Whole numbers count customers: exact.
    expect(compareOutputs(withText("12345678901"), withText("12345678902"))).toHaveLength(1);
  });

  it("shows only the lines that differ, of text and of figures", () => {
    const figure = (y: number[]): Notebook =>
      notebook({
        ...code("x"),
        outputs: [
          {
            output_type: "display_data",
            metadata: {},
            data: { "application/vnd.plotly.v1+json": { data: [{ y }] }, "image/svg+xml": String(y) },
          },
        ],
      });
    expect(compareOutputs(figure([1, 2]), figure([1, 2]))).toEqual([]);
    const [difference] = compareOutputs(figure([1, 2]), figure([1, 3]));
    expect(difference?.lines.map((line) => line.replace(/\s+/g, " "))).toEqual(["- 2", "+ 3"]);
    expect(compareOutputs(withText("a\nb\nc"), withText("a\nc"))).toEqual([{ cell: 1, lines: ["- b"] }]);
  });

  it("notices a missing output and a missing cell, and leaves out what is tagged varying", () => {
    expect(compareOutputs(withText("a"), notebook(code("x")))).toHaveLength(1);
    expect(compareOutputs(withText("a"), notebook())).toHaveLength(1);
    expect(compareOutputs(withText("a", "varying"), withText("b", "varying"))).toEqual([]);
  });
});
