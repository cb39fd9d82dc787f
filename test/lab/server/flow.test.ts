import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KernelMessage } from "../../../src/lab/kernel/wire.js";
import { OutputGate } from "../../../src/lab/server/flow.js";
import { DEFAULT_LIMITS, type Limits } from "../../../src/lab/server/limits.js";
import { message } from "./support.js";

const parent = (id: string) => message("shell", "execute_request", { id }).header;

function gate(limits: Partial<Limits> = {}): {
  gate: OutputGate;
  seen: KernelMessage[];
  texts: () => string[];
} {
  const seen: KernelMessage[] = [];
  const output = new OutputGate((sent) => seen.push(sent), { ...DEFAULT_LIMITS, ...limits });
  return {
    gate: output,
    seen,
    texts: () =>
      seen.map(({ content, header }) =>
        typeof content["text"] === "string" ? content["text"] : header.msg_type,
      ),
  };
}

const print = (text: string, cell: ReturnType<typeof parent>, name = "stdout"): KernelMessage =>
  message("iopub", "stream", { name, text }, cell);

describe("output on its way to the browser", () => {
  it("joins what is printed within a moment, in order and by stream", () => {
    const { gate: output, texts } = gate();
    const cell = parent("a");
    output.push(print("1\n", cell));
    output.push(print("2\n", cell));
    output.push(print("oops\n", cell, "stderr"));
    output.push(print("3\n", cell));
    output.push(message("iopub", "display_data", { data: {} }, cell));
    output.push(print("4\n", cell));
    output.flush();
    expect(texts()).toEqual(["1\n2\n", "oops\n", "3\n", "display_data", "4\n"]);
  });

  it("sends what waits although nothing follows", async () => {
    const cell = parent("a");
    const text = await new Promise((resolve) => {
      const output = new OutputGate((sent) => {
        resolve(sent.content["text"]);
      }, DEFAULT_LIMITS);
      output.push(print("a", cell));
      output.push(print("b", cell));
    });
    expect(text).toBe("ab"); // nothing more came, and still it was sent
  });

  it("cuts a cell off after its lines, says so once, and lets errors and the next cell through", () => {
    const { gate: output, texts, seen } = gate({ outputLines: 3 });
    const cell = parent("a");
    for (const text of ["1\n2\n", "3\n4\n", "5\n"]) output.push(print(text, cell));
    output.push(message("iopub", "error", { ename: "E" }, cell));
    output.push(message("iopub", "status", { execution_state: "idle" }, cell));
    output.push(print("next\n", parent("b")));
    output.flush();
    expect(texts()).toEqual([
      "1\n2\n3\n",
      "\n[clientele] output truncated after 3 lines; write long results to a file instead\n",
      "error",
      "status",
      "next\n",
    ]);
    expect(seen[1]?.parent_header).toEqual(cell);
  });

  it("says nothing when the output just fits", () => {
    const { gate: output, texts } = gate({ outputLines: 2, outputCharacters: 4 });
    const cell = parent("a");
    output.push(print("1\n2\n", cell));
    output.push(message("iopub", "status", { execution_state: "idle" }, cell));
    expect(texts()).toEqual(["1\n2\n", "status"]);
  });

  it("never passes more than the limits, and passes all of a short text", () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "\n", "é", "😀"), maxLength: 12 }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        texts,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 8 }),
        (parts, characters, lines) => {
          const { gate: output, seen } = gate({ outputCharacters: characters, outputLines: lines });
          const cell = parent("a");
          for (const part of parts) output.push(print(part, cell));
          output.flush();
          const passed = seen
            .filter((sent) => sent.content["name"] === "stdout")
            .map((sent) => sent.content["text"])
            .join("");
          const all = parts.join("");
          expect(passed.length).toBeLessThanOrEqual(characters);
          expect(passed.split("\n").length - 1).toBeLessThanOrEqual(lines);
          expect(all.startsWith(passed)).toBe(true);
          expect(passed).toBe(Buffer.from(passed).toString()); // no half characters
          expect(seen.some((sent) => sent.content["name"] === "stderr")).toBe(passed !== all);
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });

  it("stops a cell that displays without end", () => {
    const { gate: output, texts } = gate({ displays: 2, displayCharacters: 100 });
    const cell = parent("a");
    for (let i = 0; i < 5; i++)
      output.push(message("iopub", "update_display_data", { data: { "text/plain": "x" } }, cell));
    expect(texts().slice(0, 2)).toEqual(["update_display_data", "update_display_data"]);
    expect(texts()[2]).toContain("truncated after 2 displays");
    expect(texts()).toHaveLength(3);
    output.push(message("iopub", "display_data", { data: { "text/html": "x".repeat(101) } }, parent("b")));
    expect(texts()[3]).toContain("truncated after 100 characters of displays");
  });
});
