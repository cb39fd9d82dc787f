import { randomUUID } from "node:crypto";
import { isRecord } from "../notebook/format.js";
import { HttpError } from "./http.js";
import type { Kernel, KernelManager, KernelModel } from "./kernels.js";

/** A session in Jupyter's JSON form: which notebook or console uses which kernel. */
export interface SessionModel {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly kernel: KernelModel;
  readonly notebook: { readonly path: string; readonly name: string };
}

interface Session {
  readonly id: string;
  path: string;
  name: string;
  type: string;
  kernel: Kernel;
}

/** Name of the kernel, as in the notebooks' metadata; other kernels are not to be had. */
export const KERNEL_NAME = "tslab";

/** Which notebook or console uses which kernel. */
export class Sessions {
  readonly #kernels: KernelManager;
  readonly #folderOf: (path: string) => Promise<string>;
  readonly #sessions = new Map<string, Session>();

  /** `folderOf` tells the working folder for a notebook's API path. */
  constructor(kernels: KernelManager, folderOf: (path: string) => Promise<string>) {
    this.#kernels = kernels;
    this.#folderOf = folderOf;
  }

  /** The sessions whose kernel still lives. */
  list(): SessionModel[] {
    this.#cull();
    return [...this.#sessions.values()].map(toModel);
  }

  /** @throws HttpError 404 if there is no such session */
  get(id: string): SessionModel {
    return toModel(this.#find(id));
  }

  /**
   * The session of this path, a new one if there is none. Answers at once; a new kernel starts in the background.
   * @throws HttpError 400 without path or type, 501 for a kernel that is not ours, 404 for an unknown kernel id
   */
  async create(body: Readonly<Record<string, unknown>>): Promise<SessionModel> {
    const path = requireText(body, "path");
    const type = requireText(body, "type");
    const wanted = isRecord(body["kernel"]) ? body["kernel"] : {};
    const existing = (): Session | undefined => {
      this.#cull();
      return [...this.#sessions.values()].find((session) => session.path === path);
    };
    let session = existing();
    if (!session) {
      const kernel = await this.#kernelFor(wanted, path);
      session = existing(); // two requests for one notebook at the same time
      if (session) await this.#kernels.remove(kernel.id);
      else session = { id: randomUUID(), path, name: text(body["name"]) ?? "", type, kernel };
      this.#sessions.set(session.id, session);
    }
    return toModel(session);
  }

  /**
   * Changes path, name, type or kernel. A kernel that is replaced is shut down.
   * @throws HttpError 404 for an unknown session, 400 for an unknown kernel id
   */
  async update(id: string, body: Readonly<Record<string, unknown>>): Promise<SessionModel> {
    const session = this.#find(id);
    session.path = text(body["path"]) ?? session.path;
    session.name = text(body["name"]) ?? session.name;
    session.type = text(body["type"]) ?? session.type;
    if (isRecord(body["kernel"])) {
      const former = session.kernel;
      session.kernel = await this.#kernelFor(body["kernel"], session.path);
      if (former !== session.kernel && this.#kernels.has(former.id)) await this.#kernels.remove(former.id);
    }
    return toModel(session);
  }

  /** Ends the session and its kernel. @throws HttpError 404 for an unknown session */
  async delete(id: string): Promise<void> {
    const session = this.#find(id);
    this.#sessions.delete(id);
    if (this.#kernels.has(session.kernel.id)) await this.#kernels.remove(session.kernel.id);
  }

  /**
   * The kernel a client asks for, by id or name; a new one for a name.
   * @throws HttpError 501 for a name that is not ours
   */
  async #kernelFor(wanted: Readonly<Record<string, unknown>>, path: string): Promise<Kernel> {
    const id = text(wanted["id"]);
    if (id !== undefined && id !== "") return this.#kernels.get(id);
    return this.#kernels.create(requireKernelName(wanted["name"]), await this.#folderOf(path));
  }

  #find(id: string): Session {
    this.#cull();
    const session = this.#sessions.get(id);
    if (!session) throw new HttpError(404, `Session not found: ${id}`);
    return session;
  }

  /** Drops sessions whose kernel was deleted or given up: opening the notebook again then starts a new one. */
  #cull(): void {
    for (const session of this.#sessions.values()) {
      if (!this.#kernels.has(session.kernel.id) || session.kernel.state === "dead")
        this.#sessions.delete(session.id);
    }
  }
}

/**
 * The name of a kernel that can be started; none means the default.
 * @throws HttpError 501 as Jupyter does for a kernel that is not installed
 */
export function requireKernelName(name: unknown): string {
  if (name === undefined || name === null || name === "" || name === KERNEL_NAME) return KERNEL_NAME;
  const given = typeof name === "string" ? name : JSON.stringify(name);
  throw new HttpError(
    501,
    `The '${given}' kernel is not available here, only '${KERNEL_NAME}' is`,
    "kernel not found",
  );
}

const toModel = ({ id, path, name, type, kernel }: Session): SessionModel => ({
  id,
  path,
  name,
  type,
  kernel: kernel.model(),
  notebook: { path, name },
});

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function requireText(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw new HttpError(400, `a session needs the text "${name}"`);
  return value;
}
