import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
// Threads run the compiled program, so the compiled pool is under test.
import { ConvergenceError, DataError } from "../../dist/core/errors.js";
import { runInWorkers } from "../../dist/numeric/worker-pool.js";

const compiled = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;

const program = `
import { threadId } from "node:worker_threads";
import { ConvergenceError, DataError } from "${compiled("core/errors.js")}";
import { randomSource } from "${compiled("numeric/random.js")}";
import { drawInteger } from "${compiled("numeric/sampling.js")}";

/** Mean of the column at rows drawn with the task's stream. */
export function bootstrapMean({ column, seed }) {
  return (replicate) => {
    const random = randomSource(seed).stream(replicate);
    let sum = 0;
    for (let k = 0; k < column.length; k++) sum += column[drawInteger(random, 0, column.length - 1)];
    return sum / column.length;
  };
}
let prepared = 0;
export const describeThread = (shared) => {
  prepared++;
  return async (task) => ({
    task,
    prepared,
    threadId,
    isOneColumn: shared.first === shared.nested[0].again,
    isShared: shared.first.buffer instanceof SharedArrayBuffer,
    kinds: [shared.first, shared.bytes, shared.integers].map((column) => column.constructor.name),
    values: [...shared.first],
    rest: [shared.text, shared.map.get("key")],
  });
};
const errors = {
  data: () => new DataError("amount in row 2 must be above 0"),
  convergence: () => new ConvergenceError("did not settle"),
  range: () => new RangeError("shape must be above 0"),
  own: () => Object.assign(new Error("of its own"), { name: "OwnError" }),
};
export const failing = () => async ({ kind, wait = 0 }) => {
  await new Promise((resolve) => setTimeout(resolve, wait));
  if (kind === "text") throw "only a text";
  if (kind in errors) throw errors[kind]();
  return kind;
};
export const stopping = () => () => process.exit(3);
export const straying = () => () => new Promise(() => setTimeout(() => { throw new RangeError("astray"); }));
export const returningFunction = () => () => () => 1;
export const failingSetup = () => { throw new DataError("no such column"); };
export const notMaking = () => 5;
export const asleep = () => () => new Promise((resolve) => setTimeout(resolve, 60_000));
export const spinning = () => () => { for (;;); };
export const brief = () => (task) => new Promise((resolve) => setTimeout(() => resolve(task), 2));
`;

let folder: string;
let module: URL;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "worker-pool-"));
  const path = join(folder, "tasks.mjs");
  await writeFile(path, program);
  module = pathToFileURL(path);
});
afterAll(() => rm(folder, { recursive: true }));

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const message = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: unknown) => String(error),
  );

describe("runInWorkers", () => {
  it("gives the results in the order of the tasks, the same with any number of workers", async () => {
    const column = Float64Array.from(numbers(1000), (i) => Math.sqrt(i));
    const run = (workers: number) =>
      runInWorkers<number, number>({
        module,
        exportName: "bootstrapMean",
        shared: { column, seed: 5 },
        tasks: numbers(60),
        workers,
      });
    const alone = await run(0);
    expect(alone).toHaveLength(60);
    expect(new Set(alone).size).toBe(60);
    for (const workers of [1, 2, 3]) expect(await run(workers)).toEqual(alone);
  });

  it.each([0, 2])("shares typed arrays and copies the rest; %d workers", async (workers) => {
    const first = Float64Array.of(1, 2, 3).subarray(1);
    const [one, two] = await runInWorkers<string, Record<string, unknown>>({
      module,
      exportName: "describeThread",
      shared: {
        first,
        nested: [{ again: first }],
        bytes: Buffer.from("abc"),
        integers: new BigInt64Array(2),
        text: "text",
        map: new Map([["key", 7]]),
      },
      tasks: ["a", "b"],
      workers,
    });
    expect(one).toMatchObject({
      task: "a",
      isOneColumn: true,
      isShared: true,
      kinds: ["Float64Array", "Uint8Array", "BigInt64Array"],
      values: [2, 3],
      rest: ["text", 7],
    });
    expect(two?.["task"]).toBe("b");
    expect(one?.["threadId"] === 0).toBe(workers === 0);
    if (workers === 2) expect(one?.["threadId"]).not.toBe(two?.["threadId"]);
  });

  it("prepares each worker once, for all its tasks", async () => {
    const shared = {
      first: new Float64Array(1),
      nested: [{}],
      bytes: new Uint8Array(1),
      integers: new Int32Array(1),
      map: new Map(),
    };
    const found = await runInWorkers<number, { prepared: number }>({
      module,
      exportName: "describeThread",
      shared,
      tasks: numbers(40),
      workers: 2,
    });
    expect(new Set(found.map(({ prepared }) => prepared))).toEqual(new Set([1]));
  });

  it.each([0, 1, 2])("reports the first failing task, in its class; %d workers", async (workers) => {
    const run = (tasks: readonly object[]) =>
      runInWorkers<object, string>({ module, exportName: "failing", shared: undefined, tasks, workers });
    const fine = { kind: "fine" };
    expect(await run([fine, fine])).toEqual(["fine", "fine"]);
    await expect(run([fine, { kind: "data" }])).rejects.toThrow(
      new DataError("tasks[1]: amount in row 2 must be above 0"),
    );
    await expect(run([{ kind: "data" }])).rejects.toBeInstanceOf(DataError);
    await expect(run([{ kind: "convergence" }])).rejects.toBeInstanceOf(ConvergenceError);
    await expect(run([{ kind: "range" }])).rejects.toThrow(new RangeError("tasks[0]: shape must be above 0"));
    expect(await message(run([fine, fine, { kind: "own" }]))).toBe("OwnError: tasks[2]: of its own");
    expect(await message(run([{ kind: "text" }]))).toBe("Error: tasks[0]: only a text");
    // the later one fails first, the earlier one is reported
    const both = [{ kind: "range", wait: 150 }, { kind: "data" }, ...Array<object>(20).fill(fine)];
    expect(await message(run(both))).toBe("RangeError: tasks[0]: shape must be above 0");
    const error: unknown = await run([{ kind: "data" }]).catch((reason: unknown) => reason);
    expect((error as Error).stack).toMatch(/^DataError: tasks\[0\]: amount in row 2 .*\n.*tasks\.mjs/);
  });

  it.each([0, 1])(
    "says what is wrong before the first task, or with a result; %d workers",
    async (workers) => {
      const run = (exportName: string, shared?: unknown) =>
        message(runInWorkers({ module, exportName, shared, tasks: [1], workers }));
      expect(await run("failingSetup")).toBe("DataError: no such column");
      expect(await run("missing")).toBe(`RangeError: ${module.href} must export a function missing`);
      expect(await run("notMaking")).toBe(
        `RangeError: notMaking of ${module.href} must return a function of a task, got number`,
      );
      expect(await run("returningFunction")).toBe("DataCloneError: tasks[0]: () => 1 could not be cloned.");
      expect(await run("brief", { callback: () => 1 })).toBe("DataCloneError: () => 1 could not be cloned.");
      const absent = runInWorkers({
        module: join(folder, "absent.mjs"),
        exportName: "x",
        shared: 0,
        tasks: [1],
        workers,
      });
      expect(await message(absent)).toContain("Cannot find module");
      expect(
        await message(runInWorkers({ module, exportName: "brief", shared: 0, tasks: [() => 1], workers })),
      ).toContain("could not be cloned");
    },
  );

  it("ends when a worker stops or an error escapes", async () => {
    const run = (exportName: string) =>
      message(runInWorkers({ module, exportName, shared: 0, tasks: [1, 2], workers: 1 }));
    expect(await run("stopping")).toBe("Error: tasks[0]: the worker stopped with exit code 3");
    expect(await run("straying")).toBe("RangeError: tasks[0]: astray");
  });

  it.each([0, 2])(
    "counts the tasks done, and passes on an error of the counter; %d workers",
    async (workers) => {
      const seen: [number, number][] = [];
      const job = { module, exportName: "brief", shared: 0, tasks: numbers(9), workers };
      await runInWorkers({ ...job, onProgress: (done, total) => seen.push([done, total]) });
      expect(seen).toEqual(numbers(9).map((i) => [i + 1, 9]));
      const broken = runInWorkers({
        ...job,
        onProgress: () => {
          throw new RangeError("no room for a bar");
        },
      });
      expect(await message(broken)).toBe("RangeError: no room for a bar");
    },
  );

  it.each(["asleep", "spinning"])(
    "ends at once when aborted, though its tasks are %s",
    async (exportName) => {
      const abort = new AbortController();
      const job = { module, exportName, shared: 0, tasks: numbers(4), workers: 2, signal: abort.signal };
      const ended = message(runInWorkers(job));
      setTimeout(() => abort.abort(new DataError("enough")), 100);
      expect(await ended).toBe("DataError: enough");
      expect(await message(runInWorkers(job))).toBe("DataError: enough"); // aborted before it starts
    },
  );

  it("can be aborted between tasks in this thread", async () => {
    const abort = new AbortController();
    const done: number[] = [];
    const ended = runInWorkers({
      module,
      exportName: "brief",
      shared: 0,
      tasks: numbers(50),
      workers: 0,
      signal: abort.signal,
      onProgress: (count) => {
        done.push(count);
        if (count === 3) abort.abort(new DataError("enough"));
      },
    });
    expect(await message(ended)).toBe("DataError: enough");
    expect(done).toEqual([1, 2, 3]);
  });

  it("does nothing for no tasks, and refuses a wrong number of workers", async () => {
    const job = { module, exportName: "missing", shared: 0, tasks: [] };
    expect(await runInWorkers(job)).toEqual([]);
    expect(await message(runInWorkers({ ...job, workers: 1.5 }))).toBe(
      "RangeError: workers must be a whole number from 0 up, got 1.5",
    );
    expect(await message(runInWorkers({ ...job, workers: -1 }))).toContain("got -1");
  });

  it("works from another folder, with a relative module, and leaves no worker behind", async () => {
    const script = `
      import { runInWorkers } from ${JSON.stringify(compiled("numeric/worker-pool.js"))};
      const job = { module: "./tasks.mjs", exportName: "brief", shared: 0, tasks: [3, 1, 2] };
      console.log(JSON.stringify(await runInWorkers(job)));
      await runInWorkers({ ...job, exportName: "asleep", signal: AbortSignal.timeout(200), workers: 2 })
        .catch((error) => console.log(error.name));`;
    // A worker left behind would keep the process, and the test, for a minute.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", script],
      { cwd: folder, timeout: 30_000 },
    );
    expect(stdout).toBe("[3,1,2]\nTimeoutError\n");
  });
});
