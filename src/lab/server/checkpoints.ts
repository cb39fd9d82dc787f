import { readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { writeFileAtomic } from "../files.js";
import { errorCode, HttpError } from "./http.js";

/** The hidden folder beside a file that holds its checkpoint, and the one id there is: both as Jupyter names them. */
export const CHECKPOINT_FOLDER = ".ipynb_checkpoints";
const ID = "checkpoint";

/** A checkpoint in Jupyter's JSON form. */
export interface Checkpoint {
  readonly id: string;
  readonly last_modified: string;
}

function placeOf(file: string): string {
  const extension = extname(file);
  return join(dirname(file), CHECKPOINT_FOLDER, `${basename(file, extension)}-${ID}${extension}`);
}

/**
 * Copies the file as it is on disk to its checkpoint, replacing an older one.
 * @throws the file system's own error
 */
export async function createCheckpoint(file: string): Promise<Checkpoint> {
  await writeFileAtomic(placeOf(file), await readFile(file));
  const { mtime } = await stat(placeOf(file));
  return { id: ID, last_modified: mtime.toISOString() };
}

/** The checkpoints of a file: one or none. */
export async function listCheckpoints(file: string): Promise<Checkpoint[]> {
  try {
    return [{ id: ID, last_modified: (await stat(placeOf(file))).mtime.toISOString() }];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/**
 * Writes the checkpoint back over the file.
 * @throws HttpError 404 if there is none
 */
export async function restoreCheckpoint(file: string, id: string): Promise<void> {
  await writeFileAtomic(file, await readCheckpoint(file, id));
}

async function readCheckpoint(file: string, id: string): Promise<Buffer> {
  try {
    if (id === ID) return await readFile(placeOf(file));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  throw new HttpError(404, `${basename(file)} has no checkpoint "${id}"`);
}

/** Deletes the checkpoint of a file; none is fine. */
export async function deleteCheckpoint(file: string): Promise<void> {
  await rm(placeOf(file), { force: true });
}

/** Lets the checkpoint follow its file to a new name; none is fine. */
export async function moveCheckpoint(from: string, to: string): Promise<void> {
  const [checkpoint] = await listCheckpoints(from);
  if (!checkpoint) return;
  if (dirname(from) === dirname(to)) {
    await rename(placeOf(from), placeOf(to));
  } else {
    await writeFileAtomic(placeOf(to), await readFile(placeOf(from)));
    await deleteCheckpoint(from);
  }
}
