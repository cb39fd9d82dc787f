import { availableParallelism } from "node:os";
import { isAbsolute } from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { isTypedArray } from "node:util/types";
import { Worker } from "node:worker_threads";
import { requireWhole } from "../core/arguments.js";
import { ConvergenceError, DataError } from "../core/errors.js";

/** Independent tasks, and the function that does one of them. */
export interface WorkerJob<Task> {
  /** The module that each worker imports: a URL, a path (a relative one from the current folder) or a package's name. */
  readonly module: URL | string;
  /** Name of the module's function that is called once in each worker with `shared` and returns task -> result. */
  readonly exportName: string;
  /**
   * What all tasks need. Typed arrays in it, also within arrays and plain objects, are copied once into memory that all
   * workers see, and must not be written to; the rest is copied for each worker (no functions, no class instances).
   */
  readonly shared: unknown;
  /** The tasks, each copied to the worker that does it. A seed or a stream's number in each keeps random work repeatable. */
  readonly tasks: readonly Task[];
  /** Number of worker threads, at most one a task; as many as the machine runs at once unless given; 0 for none. */
  readonly workers?: number;
  /** Called after each task with the number of tasks done, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work early: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a worker needs before its first task. */
export interface WorkerSetup {
  readonly module: string;
  readonly exportName: string;
  readonly shared: unknown;
}

/** Consecutive tasks for one worker. */
export interface TaskBatch {
  readonly first: number;
  readonly tasks: readonly unknown[];
}

/** An error in the form that crosses threads. */
interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** What a worker reports: the outcome of a task, or of its setup if there is no index. */
export type WorkerReport =
  | { readonly index: number; readonly result: unknown }
  | { readonly index?: number; readonly failure: Failure };

/** The function made by a job's module. */
export type TaskFunction = (task: unknown) => unknown;

/**
 * Does the tasks on worker threads and gives their results in the order of the tasks, so that the outcome does not depend
 * on the number of workers. For hundreds of fits: bootstraps, searches from many starts. No worker outlives the call.
 *
 * An error in a task ends the work: of several failing tasks the first is reported, as `tasks[3]: message`, with the
 * error's class if it is a DataError, ConvergenceError or RangeError, and its name in any case. With `workers: 0` the tasks
 * run one after the other in this thread, which is free between them; everything else is the same.
 * @throws RangeError if `workers` is not a whole number from 0 up, or the module has no such function; the error of the
 * first failing task; the signal's reason.
 */
export async function runInWorkers<Task, Result>(job: WorkerJob<Task>): Promise<Result[]> {
  const { tasks, signal, workers = availableParallelism() } = job;
  requireWhole("workers", workers, 0);
  signal?.throwIfAborted();
  if (tasks.length === 0) return [];
  const setup = {
    module: moduleAddress(job.module),
    exportName: job.exportName,
    shared: withSharedColumns(job.shared, new Map()),
  };
  const results =
    workers === 0
      ? await runHere(setup, job)
      : await runOnThreads(setup, job, Math.min(workers, tasks.length));
  return results as Result[];
}

function moduleAddress(module: URL | string): string {
  if (typeof module !== "string") return module.href;
  return module.startsWith(".") || isAbsolute(module) ? pathToFileURL(module).href : module;
}

/** A copy of plain objects and arrays in which typed arrays have become shared memory, each once. */
function withSharedColumns(value: unknown, known: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copied = known.get(value);
  if (copied !== undefined) return copied;
  const keep = <Copy>(copy: Copy): Copy => {
    known.set(value, copy);
    return copy;
  };
  if (isTypedArray(value)) return keep(sharedColumn(value));
  if (Array.isArray(value)) {
    const copy = keep<unknown[]>([]);
    for (const item of value) copy.push(withSharedColumns(item, known));
    return copy;
  }
  if (!isPlain(value)) return value;
  const copy = keep<Record<string, unknown>>({});
  for (const [key, item] of Object.entries(value)) copy[key] = withSharedColumns(item, known);
  return copy;
}

/** Whether an object comes from a literal, also one of another context, as the cells of a notebook are. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function sharedColumn(column: NodeJS.TypedArray): NodeJS.TypedArray {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const memory = new SharedArrayBuffer(column.byteLength);
  new Uint8Array(memory).set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  const Column = globalThis[column[Symbol.toStringTag]] as Float64ArrayConstructor; // a Buffer becomes a Uint8Array
  return new Column(memory);
}

/** Imports the module and makes its task function: in a worker, or in this thread. */
export async function makeTaskFunction({ module, exportName, shared }: WorkerSetup): Promise<TaskFunction> {
  const exports = (await import(module)) as Record<string, unknown>;
  const make = exports[exportName];
  if (typeof make !== "function") throw new RangeError(`${module} must export a function ${exportName}`);
  const run: unknown = await (make as TaskFunction)(shared);
  if (typeof run !== "function") {
    throw new RangeError(`${exportName} of ${module} must return a function of a task, got ${typeof run}`);
  }
  return run as TaskFunction;
}

/** An error as plain data. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: "" };
  return { name: error.name, message: error.message, stack: error.stack ?? "" };
}

const errorClasses: Readonly<Record<string, new (message: string) => Error>> = {
  DataError,
  ConvergenceError,
  RangeError,
  TypeError,
};

/** The error of a task, in its class; `index` is left out if it was the setup that failed. */
function errorOf({ name, message, stack }: Failure, index: number | undefined): Error {
  const text = index === undefined ? message : `tasks[${index}]: ${message}`;
  const error = new (errorClasses[name] ?? Error)(text);
  if (error.name !== name) error.name = name;
  const frames = stack.indexOf("\n    at ");
  error.stack = `${name}: ${text}${frames === -1 ? "" : stack.slice(frames)}`;
  return error;
}

/** In this thread; copies go in and out as they do between threads. */
async function runHere<Task>(setup: WorkerSetup, job: WorkerJob<Task>): Promise<unknown[]> {
  const { tasks, onProgress, signal } = job;
  const run = await makeTaskFunction(structuredClone(setup)).catch((error: unknown) => {
    throw errorOf(failureOf(error), undefined);
  });
  const results: unknown[] = [];
  for (const [index, task] of tasks.entries()) {
    signal?.throwIfAborted();
    try {
      results.push(structuredClone(await run(structuredClone(task))));
    } catch (error) {
      throw errorOf(failureOf(error), index);
    }
    onProgress?.(results.length, tasks.length);
    await setImmediate(); // lets others run, who may abort
  }
  return results;
}

const MOST_IN_BATCH = 16;

/** Whether this program is `node --input-type=module --eval ...`: a worker is a file and must not inherit that option. */
const isEvaluated = process.execArgv.some((option) => option.startsWith("--input-type"));

/** A worker thread and the tasks it has: it is at `next`, and free when that is `end`. */
interface Thread {
  readonly worker: Worker;
  next: number;
  end: number;
}

function runOnThreads<Task>(setup: WorkerSetup, job: WorkerJob<Task>, count: number): Promise<unknown[]> {
  const { tasks, onProgress, signal } = job;
  const threads: Thread[] = [];
  let stopListening = (): void => undefined;
  const outcome = new Promise<unknown[]>((resolve, reject: (reason: Error) => void) => {
    const results: unknown[] = Array.from(tasks, () => undefined);
    let handedOut = 0;
    let done = 0;
    let firstFailed = tasks.length;
    let failure: Error | undefined;

    const handOut = (thread: Thread): void => {
      if (failure !== undefined || handedOut === tasks.length) return;
      const share = Math.floor((tasks.length - handedOut) / (4 * count)); // small at the end, so that none is left alone
      thread.next = handedOut;
      thread.end = handedOut += Math.min(Math.max(share, 1), MOST_IN_BATCH, tasks.length - handedOut);
      thread.worker.postMessage({ first: thread.next, tasks: tasks.slice(thread.next, thread.end) });
    };
    const take = (thread: Thread, report: WorkerReport): void => {
      if ("result" in report) {
        results[report.index] = report.result;
        thread.next++;
        done++;
        onProgress?.(done, tasks.length);
      } else if (report.index === undefined) {
        reject(errorOf(report.failure, undefined));
      } else {
        thread.next = thread.end; // a worker drops the rest of a batch that fails
        if (report.index < firstFailed) {
          firstFailed = report.index;
          failure = errorOf(report.failure, report.index);
        }
      }
      if (thread.next === thread.end) handOut(thread);
      if (done === tasks.length) resolve(results);
      const isFirstCertain = threads.every(({ next, end }) => next === end || next > firstFailed);
      if (failure !== undefined && isFirstCertain) reject(failure);
    };
    const start = (): void => {
      const worker = new Worker(new URL("./worker-entry.js", import.meta.url), {
        workerData: setup,
        ...(isEvaluated ? { execArgv: [] } : {}),
      });
      const thread = { worker, next: 0, end: 0 };
      threads.push(thread);
      worker.on("message", (report: WorkerReport) => {
        try {
          take(thread, report);
        } catch (error) {
          reject(error as Error); // from onProgress, or a task that cannot be copied
        }
      });
      worker.on("error", (error) => reject(errorOf(failureOf(error), thread.next)));
      worker.on("messageerror", reject);
      worker.on("exit", (code) =>
        reject(new Error(`tasks[${thread.next}]: the worker stopped with exit code ${code}`)),
      );
      handOut(thread);
    };
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener("abort", abort);
    stopListening = () => signal?.removeEventListener("abort", abort);
    for (let k = 0; k < count; k++) start();
  });
  return outcome.finally(async () => {
    stopListening();
    for (const { worker } of threads) worker.removeAllListeners("message"); // no progress after the end
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  });
}
