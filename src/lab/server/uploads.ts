import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { HttpError } from "./http.js";

interface Upload {
  readonly temporary: string;
  next: number;
  expiry: NodeJS.Timeout;
}

const IDLE_MS = 10 * 60_000;

/**
 * Large files arrive in chunks numbered 1, 2, …, -1. They are collected beside their place and take it with the last
 * chunk, so nobody sees half a file.
 */
export class Uploads {
  readonly #running = new Map<string, Upload>();

  /**
   * Takes one chunk and returns the file that holds what has arrived so far.
   * @throws HttpError 400 if a chunk is missing or doubled; the upload then starts over
   */
  async add(place: string, chunk: number, data: Uint8Array): Promise<string> {
    const upload = chunk === 1 ? await this.#begin(place) : this.#running.get(place);
    if (!upload || (chunk !== -1 && chunk !== upload.next)) {
      await this.#drop(place);
      throw new HttpError(
        400,
        `upload of ${basename(place)}: chunk ${String(chunk)} came, ${String(upload?.next ?? 1)} was due; upload again`,
      );
    }
    try {
      const file = await open(upload.temporary, "a");
      try {
        await file.appendFile(data);
        if (chunk === -1) await file.sync();
      } finally {
        await file.close();
      }
      if (chunk !== -1) {
        upload.next++;
        upload.expiry.refresh();
        return upload.temporary;
      }
      await rename(upload.temporary, place);
    } catch (error) {
      await this.#drop(place);
      throw error;
    }
    clearTimeout(upload.expiry);
    this.#running.delete(place);
    return place;
  }

  /** Throws away what has not been completed. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((place) => this.#drop(place)));
  }

  async #begin(place: string): Promise<Upload> {
    await this.#drop(place);
    const expiry = setTimeout(() => {
      void this.#drop(place);
    }, IDLE_MS);
    expiry.unref();
    const temporary = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString("hex")}.tmp`);
    const upload = { temporary, next: 1, expiry };
    this.#running.set(place, upload);
    return upload;
  }

  async #drop(place: string): Promise<void> {
    const upload = this.#running.get(place);
    if (!upload) return;
    clearTimeout(upload.expiry);
    this.#running.delete(place);
    await rm(upload.temporary, { force: true });
  }
}
