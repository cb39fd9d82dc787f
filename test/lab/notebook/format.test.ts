import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../../src/core/errors.js";
import {
  emptyNotebook,
  type Notebook,
  parseNotebook,
  serialiseNotebook,
} from "../../../src/lab/notebook/format.js";
import { code, markdown, notebook } from "./build.js";

const rich = (): Notebook =>
  notebook(markdown("# Title\n\ntext"), {
    ...code("const a = 1;\na", "parameters"),
    execution_count: 1,
    outputs: [
      { output_type: "stream", name: "stdout", text: "one\ntwo\r\nthree\u2028four" },
      {
        output_type: "display_data",
        data: {
          "text/html": "<p>\n</p>",
          "image/svg+xml": "<svg>\n</svg>",
          "image/png": "aGFsbG8=",
          "application/vnd.plotly.v1+json": { layout: {}, data: [{ y: [1, 2], type: "bar" }] },
        },
        metadata: {},
      },
      { output_type: "execute_result", data: { "text/plain": "1" }, metadata: {}, execution_count: 1 },
      { output_type: "error", ename: "E", evalue: "v", traceback: ["a", "b"] },
    ],
  });

describe("notebook format", () => {
  it("writes sorted keys, line lists, an id for each cell, and no trust marks", () => {
    const written = serialiseNotebook({
      ...rich(),
      cells: rich().cells.map((c) => ({ ...c, metadata: { trusted: true } })),
    });
    expect(written.endsWith("}\n")).toBe(true);
    expect(written).not.toContain("trusted");
    const file = JSON.parse(written) as { cells: Record<string, unknown>[] };
    expect(Object.keys(file)).toEqual(["cells", "metadata", "nbformat", "nbformat_minor"]);
    expect(file.cells[0]?.["source"]).toEqual(["# Title\n", "\n", "text"]);
    expect(file.cells.map((cell) => typeof cell["id"])).toEqual(["string", "string"]);
    const outputs = file.cells[1]?.["outputs"] as Record<string, Record<string, unknown>>[];
    expect(outputs[0]?.["text"]).toEqual(["one\n", "two\r\n", "three\u2028", "four"]);
    expect(outputs[1]?.["data"]?.["image/svg+xml"]).toEqual(["<svg>\n", "</svg>"]);
    expect(outputs[1]?.["data"]?.["image/png"]).toBe("aGFsbG8=");
  });

  it("reads back what it wrote, and writes the same again", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), fc.string({ unit: "binary" }), (sources, text) => {
        const made = notebook(
          ...sources.map((source) => ({
            ...code(source),
            outputs: [{ output_type: "stream" as const, name: "stdout" as const, text }],
          })),
        );
        const written = serialiseNotebook(made);
        const read = parseNotebook(written, "x.ipynb");
        expect(read.cells.map((cell) => cell.source)).toEqual(sources);
        expect(serialiseNotebook(read)).toBe(written);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("makes an empty notebook for the kernel named tslab", () => {
    expect(parseNotebook(serialiseNotebook(emptyNotebook()), "new").metadata["kernelspec"]).toMatchObject({
      name: "tslab",
    });
  });

  it.each([
    ["a truncated file", serialiseNotebook(rich()).slice(0, 200), /^x\.ipynb: not a complete notebook file/],
    ["an empty file", "", /^x\.ipynb: not a complete notebook file/],
    ["no notebook", "[1]", /^x\.ipynb: a notebook must be a JSON object, got \[1\]/],
    ["another format", '{"nbformat": 3, "worksheets": []}', /nbformat must be 4, got 3/],
    ["no cells", '{"nbformat": 4}', /cells must be a list, got nothing/],
    [
      "a cell of unknown type",
      '{"nbformat":4,"cells":[{"cell_type":"sql","source":""}]}',
      /cell 1: cell_type must be code, markdown or raw, got "sql"/,
    ],
    [
      "a cell without outputs",
      '{"nbformat":4,"cells":[{"cell_type":"code","source":""}]}',
      /cell 1: outputs must be a list, got nothing/,
    ],
    [
      "an unknown output",
      '{"nbformat":4,"cells":[{"cell_type":"code","source":"","outputs":[{"output_type":"pyout"}]}]}',
      /cell 1: output 1: output_type must be .*, got "pyout"/,
    ],
    [
      "a source that is a number",
      '{"nbformat":4,"cells":[{"cell_type":"raw","source":5}]}',
      /cell 1: source must be a text or a list of lines, got 5/,
    ],
  ])("refuses %s by name of the place", (_what, text, message) => {
    expect(() => parseNotebook(text, "x.ipynb")).toThrow(DataError);
    expect(() => parseNotebook(text, "x.ipynb")).toThrow(message);
  });

  it("writes byte for byte what Jupyter's own nbformat writes", (context) => {
    // Debian's nbformat belongs to Debian's Python, whatever other Python comes first on the path.
    const script =
      "import sys, nbformat; nb = nbformat.read(sys.argv[1], 4); nbformat.write(nb, sys.argv[2])";
    const folder = mkdtempSync(join(tmpdir(), "clientele-format-"));
    try {
      const [ours, theirs] = [join(folder, "ours.ipynb"), join(folder, "theirs.ipynb")];
      writeFileSync(ours, serialiseNotebook(rich()));
      const run = spawnSync("/usr/bin/python3", ["-W", "ignore", "-c", script, ours, theirs], {
        encoding: "utf8",
      });
      if (run.status !== 0) context.skip("left out: no Python with nbformat here");
      expect(readFileSync(theirs, "utf8")).toBe(readFileSync(ours, "utf8"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
