import { execFile } from "node:child_process";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

const git = promisify(execFile);

/** What belongs to this run and not to the study itself: the Node that ran it and the commit it stood at. */
export async function runFacts(notebookPath: string): Promise<Record<string, string>> {
  const cwd = dirname(resolve(notebookPath));
  const commit = await git("git", ["describe", "--always", "--dirty", "--abbrev=12"], { cwd }).then(
    ({ stdout }) => stdout.trim(),
    () => "", // no git, or no repository: then there is no commit to name
  );
  return { Node: process.version, ...(commit !== "" && { commit }) };
}
