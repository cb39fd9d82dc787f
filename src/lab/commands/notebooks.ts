import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { DataError } from "../../core/errors.js";
import { type CellRun, type ExecuteOptions, executeNotebook, type NotebookRun } from "../notebook/execute.js";
import { type Notebook, parseNotebook } from "../notebook/format.js";
import { seconds, type Terminal } from "./terminal.js";

/** A notebook and the file it came from. */
export interface NotebookFile {
  readonly path: string;
  readonly notebook: Notebook;
}

/**
 * Reads one notebook.
 * @throws DataError if the file is missing or no notebook.
 */
export async function readNotebookFile(path: string): Promise<NotebookFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new DataError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      {
        cause: error,
      },
    );
  }
  return { path, notebook: parseNotebook(text, path) };
}

/**
 * The notebooks named, or all in `notebooks/` when none is.
 * @throws DataError if there is none.
 */
export async function findNotebooks(paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length > 0) return paths;
  const names = await readdir("notebooks").catch(() => []);
  const found = names.filter((name) => name.endsWith(".ipynb")).sort();
  if (found.length === 0)
    throw new DataError("notebooks/: holds no notebook; name one, or go to the project's folder");
  return found.map((name) => join("notebooks", name));
}

/** Runs a notebook in its own folder and tells each cell on the terminal. */
export async function runFile(
  file: NotebookFile,
  terminal: Terminal,
  options: Omit<ExecuteOptions, "cwd" | "onCell">,
): Promise<NotebookRun> {
  const name = basename(file.path);
  terminal.progress(`${name}: starting the kernel`);
  let done = 0;
  const onCell = (cell: CellRun, total: number): void => {
    done += 1;
    terminal.progress(`${name}: cell ${cell.cell} (${done}/${total}) ${seconds(cell.milliseconds)}`);
  };
  return executeNotebook(file.notebook, { ...options, cwd: dirname(resolve(file.path)), onCell });
}

/** How a failed run is told: the notebook, the cell, its source and the trace. */
export function failureText(path: string, failure: NonNullable<NotebookRun["failure"]>): string {
  const source = failure.source
    .split("\n")
    .map((line) => `  | ${line}`)
    .join("\n");
  const trace = failure.output.traceback.map((line) => `  ${line}`).join("\n");
  return `${relative(".", path)}: cell ${failure.cell} failed\n${source}\n${trace}`;
}
