import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { startKernel } from "../../dist/lab/kernel/client.js";
import { measure, median } from "./measure.mjs";

const CELLS = 40;
const cwd = fileURLToPath(new URL("../../notebooks", import.meta.url));
const tslab = createRequire(import.meta.url).resolve("tslab/bin/tslab");
const stock = [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"];

/** Median milliseconds of a trivial cell, after ten to warm up. */
async function roundTrip(kernel) {
  const times = [];
  for (let cell = 0; cell < CELLS + 10; cell += 1) {
    const started = performance.now();
    await kernel.execute(
      { code: `const value${cell} = ${cell};\nvalue${cell} + 1`, stop_on_error: true },
      () => undefined,
    );
    if (cell >= 10) times.push(performance.now() - started);
  }
  return median(times);
}

/** Kernel start, and the round trip of a trivial cell beside stock tslab's, in turn within one run. */
export default async function kernelBenchmark() {
  const start = await measure("kernel: start until it answers", 1, async () => {
    await (await startKernel({ cwd })).shutdown();
  });
  const ours = [];
  const theirs = [];
  for (let run = 0; run < 3; run += 1) {
    for (const [times, argv] of [
      [ours, undefined],
      [theirs, stock],
    ]) {
      const kernel = await startKernel({ cwd, ...(argv && { argv }) });
      times.push(await roundTrip(kernel));
      await kernel.shutdown();
    }
  }
  const difference = median(ours) - median(theirs);
  return [
    start,
    {
      name: "kernel: round trip of a trivial cell",
      n: CELLS,
      wallSeconds: median(ours) / 1000,
      note: `stock tslab ${median(theirs).toFixed(1)} ms, difference ${difference.toFixed(1)} ms`,
    },
  ];
}
