/**
 * The program of a worker thread of `runInWorkers`.
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import {
  failureOf,
  makeTaskFunction,
  type TaskBatch,
  type TaskFunction,
  type WorkerReport,
  type WorkerSetup,
} from "./worker-pool.js";

const send = (report: WorkerReport): void => parentPort?.postMessage(report);

async function doBatch(run: TaskFunction, { first, tasks }: TaskBatch): Promise<void> {
  for (const [k, task] of tasks.entries()) {
    const index = first + k;
    try {
      send({ index, result: await run(task) });
    } catch (error) {
      send({ index, failure: failureOf(error) });
      return;
    }
  }
}

try {
  const run = await makeTaskFunction(workerData as WorkerSetup);
  parentPort?.on("message", (batch: TaskBatch) => void doBatch(run, batch));
} catch (error) {
  send({ failure: failureOf(error) });
}
