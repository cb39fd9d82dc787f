import { writeFileAtomic } from "../files.js";
import { compareOutputs } from "../notebook/compare.js";
import { failureText, findNotebooks, readNotebookFile, runFile } from "./notebooks.js";
import { type CaseResult, junitReport } from "./report.js";
import { seconds, type Terminal } from "./terminal.js";

/** What `clientele check` is asked for. */
export interface CheckOptions {
  readonly junit?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Runs notebooks afresh, writes nothing, and compares with the stored outputs. True if all agree. */
export async function checkCommand(
  paths: readonly string[],
  options: CheckOptions,
  terminal: Terminal,
): Promise<boolean> {
  const results: CaseResult[] = [];
  for (const path of await findNotebooks(paths)) {
    const file = await readNotebookFile(path);
    const started = performance.now();
    const run = await runFile(file, terminal, options);
    const milliseconds = performance.now() - started;
    const failure = run.failure
      ? failureText(path, run.failure)
      : differenceText(path, compareOutputs(file.notebook, run.notebook));
    results.push({ name: path, milliseconds, ...(failure !== undefined && { failure }) });
    if (failure === undefined)
      terminal.out(`${path}: same outputs, ${run.cells.length} cells in ${seconds(milliseconds)}`);
    else terminal.err(failure);
  }
  if (options.junit !== undefined)
    await writeFileAtomic(options.junit, junitReport("clientele check", results));
  return results.every((result) => result.failure === undefined);
}

function differenceText(path: string, differences: ReturnType<typeof compareOutputs>): string | undefined {
  if (differences.length === 0) return undefined;
  const cells = differences.map(
    ({ cell, lines }) => `  cell ${cell}\n${lines.map((line) => `    ${line}`).join("\n")}`,
  );
  return `${path}: the outputs of ${differences.length} cells differ from those stored\n${cells.join("\n")}`;
}
