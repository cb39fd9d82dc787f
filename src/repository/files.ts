import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/**
 * Writes a file whole or not at all: `write` fills a temporary neighbour, which then takes the file's name.
 * If `write` fails, the temporary file goes and what was there before stays.
 */
export async function writeAtomically(
  path: string,
  write: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  await mkdir(dirname(target), { recursive: true });
  const temporary = temporaryNeighbour(target);
  try {
    await write(temporary);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Writes several files of a folder: `write` fills a temporary folder, whose files are moved into place only after it has
 * succeeded. Each file is whole; other files of the folder are left alone.
 * @returns the names of the files written, in the order given by `write`.
 */
export async function writeFolderAtomically(
  path: string,
  write: (temporaryFolder: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const target = resolve(path);
  const temporary = temporaryNeighbour(target);
  await mkdir(temporary, { recursive: true });
  try {
    const names = await write(temporary);
    await mkdir(target, { recursive: true });
    for (const name of names) await rename(join(temporary, name), join(target, name));
    return names;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** A text file written piece by piece, waiting whenever the disk is slower than the writer. */
export interface TextSink {
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a new UTF-8 text file for writing; `close` must be awaited. */
export function openTextSink(path: string): TextSink {
  const stream = createWriteStream(path, { encoding: "utf8", flags: "wx" });
  let failure: Error | undefined;
  stream.on("error", (error) => {
    failure = error;
  });
  return {
    async write(text) {
      if (failure) throw failure;
      if (!stream.write(text)) await once(stream, "drain");
    },
    async close() {
      stream.end();
      if (!stream.closed) await once(stream, "close");
      if (failure) throw failure;
    },
  };
}

/** Ends in .tmp, so that a crash leaves nothing that git or a reader could take for data. */
const temporaryNeighbour = (target: string): string =>
  join(dirname(target), `.${basename(target)}.${randomUUID().slice(0, 8)}.tmp`);
