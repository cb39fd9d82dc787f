import { EventEmitter } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { KernelMessage } from "../../../src/lab/kernel/wire.js";
import type { KernelHandle } from "../../../src/lab/server/kernels.js";
import { type LabServer, type ServerOptions, startServer } from "../../../src/lab/server/server.js";

type Later = (cleanUp: () => Promise<void>) => void;

/** A folder that goes away with the test, or when `later` says. */
export async function temporaryFolder(later: Later = onTestFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clientele-test-"));
  later(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Workplace {
  readonly folder: string;
  readonly root: string;
  readonly uiDir: string;
  readonly stateDir: string;
  readonly lines: string[];
}

/** An empty project, front end and state folder. */
export async function workplace(later: Later = onTestFinished): Promise<Workplace> {
  const folder = await temporaryFolder(later);
  const [root, uiDir, stateDir] = [join(folder, "root"), join(folder, "ui"), join(folder, "state")];
  await mkdir(join(root, "notebooks"), { recursive: true });
  await mkdir(join(uiDir, "static"), { recursive: true });
  return { folder, root, uiDir, stateDir, lines: [] };
}

/** A server that ends with the test. Without `parts` it starts no kernel. */
export async function serve(place: Workplace, options: Partial<ServerOptions> = {}): Promise<LabServer> {
  const server = await startServer({
    root: place.root,
    uiDir: place.uiDir,
    stateDir: place.stateDir,
    port: 0,
    warmKernel: false,
    log: (line) => place.lines.push(line),
    parts: { startKernel: () => Promise.resolve(new FakeKernel()) },
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: unknown;
}

/** One request exactly as written: no path is tidied up, no header added but the token (unless one is given). */
export function ask(server: LabServer, path: string, question: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port: server.port,
        path,
        agent: false,
        method: question.method ?? "GET",
        headers: { authorization: `token ${server.token}`, ...question.headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString("utf8"),
          });
        });
      },
    );
    request.on("error", reject);
    request.end(question.body === undefined ? undefined : JSON.stringify(question.body));
  });
}

/** As `ask`, and the JSON of the answer. */
export async function askJson(
  server: LabServer,
  path: string,
  question: Question = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { status, text } = await ask(server, path, question);
  return { status, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** A code cell with these outputs. */
export const codeCell = (source: string, outputs: object[] = [], metadata: object = {}): object => ({
  cell_type: "code",
  execution_count: null,
  id: `cell-${source.length.toString()}`,
  metadata,
  outputs,
  source,
});

/** A notebook of these cells. */
export const notebookOf = (...cells: object[]): object => ({
  cells,
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5,
});

/** A kernel that does what the test says. */
export class FakeKernel extends EventEmitter<{
  message: [KernelMessage];
  exit: [number | null, NodeJS.Signals | null];
}> {
  readonly sent: KernelMessage[] = [];
  interrupts = 0;
  alive = true;

  send(message: KernelMessage): void {
    this.sent.push(message);
  }

  interrupt(): void {
    this.interrupts++;
  }

  shutdown(): Promise<void> {
    this.alive = false;
    return Promise.resolve();
  }

  /** Dies as a crashing process does. */
  die(code = 1): void {
    this.alive = false;
    this.emit("exit", code, null);
  }
}

/** Makes sure that the stand-in has what the server uses. */
export const asHandle = (kernel: FakeKernel): KernelHandle => kernel;

/** A message of this type, from the kernel or to it. */
export function message(
  channel: KernelMessage["channel"],
  type: string,
  content: Record<string, unknown>,
  parent: KernelMessage["parent_header"] = {},
  session = "kernel",
): KernelMessage {
  const id = `${type}-${Math.random().toString(36).slice(2)}`;
  return {
    channel,
    header: { msg_id: id, msg_type: type, session, username: "", date: "", version: "5.3" },
    parent_header: parent,
    metadata: {},
    content,
    buffers: [],
  };
}

/** Waits until the condition holds; looks after every turn of the event loop. */
export async function until(condition: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${withinMs.toString()} ms for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
