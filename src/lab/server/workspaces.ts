import { HttpError } from "./http.js";

/** Workspaces are layouts of the front end. They live as long as the server, and only so many of them. */
const CAPACITY = 100;

interface Workspace {
  readonly data: unknown;
  readonly metadata: { readonly id: string; readonly created: string; readonly last_modified: string };
}

/** The layouts that the front end saved, in memory. */
export class Workspaces {
  readonly #workspaces = new Map<string, Workspace>();

  /** Ids and values, as the front end wants them. */
  list(): { ids: string[]; values: Workspace[] } {
    return { ids: [...this.#workspaces.keys()], values: [...this.#workspaces.values()] };
  }

  /** One layout, an empty one for an unknown id. */
  get(id: string): unknown {
    return this.#workspaces.get(id) ?? { data: {}, metadata: { id } };
  }

  /** Remembers a layout. @throws HttpError 507 if there are too many */
  save(id: string, body: Readonly<Record<string, unknown>>): void {
    if (!this.#workspaces.has(id) && this.#workspaces.size >= CAPACITY) {
      throw new HttpError(507, `there are already ${String(CAPACITY)} workspaces`);
    }
    const now = new Date().toISOString();
    const created = this.#workspaces.get(id)?.metadata.created ?? now;
    this.#workspaces.set(id, { data: body["data"] ?? {}, metadata: { id, created, last_modified: now } });
  }

  /** Forgets a layout. */
  delete(id: string): void {
    this.#workspaces.delete(id);
  }
}
