/**
 * `npm test`: builds, checks and tests everything, and ends with the count of tests really run.
 * Each step prints its name and time; what a step says is shown only when it fails.
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const RESULTS = "coverage/tests.json";
const bin = (path) => [process.execPath, `node_modules/${path}`];

const checks = [
  ["build", ...bin("typescript/bin/tsc"), "-b"],
  ["types of the tests", ...bin("typescript/bin/tsc"), "-p", "test/tsconfig.json"],
  ["format and lint (biome)", ...bin("@biomejs/biome/bin/biome"), "check", "--error-on-warnings", "."],
  ["lint (eslint)", ...bin("eslint/bin/eslint.js"), "-c", ".config/eslint.config.js", "src", "test"],
  [
    "layers (dependency-cruiser)",
    ...bin("dependency-cruiser/bin/dependency-cruise.mjs"),
    "-c",
    ".config/dependency-cruiser.cjs",
    "src",
  ],
  ["unused code (knip)", ...bin("knip/bin/knip.js"), "-c", ".config/knip.json"],
  ["docstrings (typedoc)", ...bin("typedoc/bin/typedoc"), "--options", ".config/typedoc.json"],
];

/** Runs a command; resolves with its exit code. With `quiet` its output is shown only when it fails. */
function run([command, ...args], { quiet }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    });
    const said = [];
    child.stdout?.on("data", (chunk) => said.push(chunk));
    child.stderr?.on("data", (chunk) => said.push(chunk));
    child.on("close", (code) => {
      if (code !== 0 && quiet) process.stdout.write(Buffer.concat(said));
      resolve(code ?? 1);
    });
  });
}

let failedChecks = 0;
for (const [name, ...command] of checks) {
  const started = performance.now();
  const code = await run(command, { quiet: true });
  if (code !== 0) failedChecks += 1;
  console.log(
    `${code === 0 ? "ok    " : "FAILED"} ${name} ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}

await mkdir("coverage", { recursive: true });
await rm(RESULTS, { force: true });
const vitest = [...bin("vitest/vitest.mjs"), "run", "--config", ".config/vitest.config.ts", "--coverage"];
const code = await run([...vitest, ...process.argv.slice(2)], { quiet: false });
const results = await readFile(RESULTS, "utf8").then(JSON.parse, () => undefined);
const passed = results?.numPassedTests ?? 0;
const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
const failed =
  (results?.numFailedTests ?? 0) + (results === undefined || (code !== 0 && results.success) ? 1 : 0);
if (failedChecks > 0)
  console.log(`\n${failedChecks} of ${checks.length} checks before the tests failed, see above`);
console.log(`\n${passed} passed, ${failed + failedChecks} failed, ${skipped} skipped`);
process.exitCode = code === 0 && failedChecks === 0 ? 0 : 1;
