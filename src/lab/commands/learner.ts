import { basename, join, resolve } from "node:path";
import { writeFileAtomic } from "../files.js";
import { serialiseNotebook } from "../notebook/format.js";
import { learnerEdition } from "../notebook/learner.js";
import { findNotebooks, readNotebookFile } from "./notebooks.js";
import type { Terminal } from "./terminal.js";

/**
 * Writes the edition without solutions of each notebook into a folder.
 * @throws RangeError if that folder holds the originals, which would be lost.
 */
export async function learnerCommand(
  paths: readonly string[],
  out: string,
  terminal: Terminal,
): Promise<boolean> {
  for (const path of await findNotebooks(paths)) {
    const target = join(out, basename(path));
    if (resolve(target) === resolve(path))
      throw new RangeError(`--out ${out} would overwrite ${path} itself`);
    const { notebook } = await readNotebookFile(path);
    await writeFileAtomic(target, serialiseNotebook(learnerEdition(notebook)));
    terminal.out(target);
  }
  return true;
}
