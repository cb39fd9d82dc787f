import { writeFileAtomic } from "../files.js";
import { serialiseNotebook } from "../notebook/format.js";
import type { ParameterValues } from "../notebook/parameters.js";
import { failureText, findNotebooks, readNotebookFile, runFile } from "./notebooks.js";
import { type CaseResult, junitReport } from "./report.js";
import { runFacts } from "./run-facts.js";
import { seconds, type Terminal } from "./terminal.js";

/** What `clientele run` is asked for. */
export interface RunOptions {
  readonly parameters: ParameterValues;
  /** File for the executed notebook; default: the notebook itself. */
  readonly out?: string;
  /** File for the HTML report. */
  readonly html?: string;
  readonly junit?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Runs notebooks and writes them back with their outputs. True if all ran through.
 * @throws RangeError if one output file is asked for several notebooks, or parameters would overwrite the source.
 */
export async function runCommand(
  paths: readonly string[],
  options: RunOptions,
  terminal: Terminal,
): Promise<boolean> {
  const files = await findNotebooks(paths);
  const { out, html, parameters } = options;
  if (files.length > 1 && (out !== undefined || html !== undefined)) {
    throw new RangeError(`--out and --html take one notebook, got ${files.length}`);
  }
  if (Object.keys(parameters).length > 0 && out === undefined && html === undefined) {
    throw new RangeError("-p needs --out or --html, so that the notebook itself keeps its own parameters");
  }
  const { createFigureRenderer } = await import("../export/static-svg.js");
  const renderer = await createFigureRenderer();
  const results: CaseResult[] = [];
  try {
    for (const path of files) {
      const file = await readNotebookFile(path);
      const started = performance.now();
      const run = await runFile(file, terminal, { ...options, renderer });
      const milliseconds = performance.now() - started;
      if (out !== undefined || html === undefined) {
        await writeFileAtomic(out ?? path, serialiseNotebook(run.notebook));
      }
      if (html !== undefined) {
        const { exportHtml } = await import("../export/html.js");
        const provenance = await runFacts(path);
        const look = { figures: "interactive", code: "folded", renderer, provenance } as const;
        await writeFileAtomic(html, await exportHtml(run.notebook, look));
      }
      const failure = run.failure && failureText(path, run.failure);
      results.push({ name: path, milliseconds, ...(failure !== undefined && { failure }) });
      if (failure === undefined)
        terminal.out(`${path}: ${run.cells.length} cells in ${seconds(milliseconds)}`);
      else terminal.err(failure);
    }
  } finally {
    renderer.close();
  }
  if (options.junit !== undefined)
    await writeFileAtomic(options.junit, junitReport("clientele run", results));
  return results.every((result) => result.failure === undefined);
}
