import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import {
  applyPatches,
  converterPatches,
  EXECUTOR_PATCHES,
  TSLAB_VERSION,
} from "../../../src/lab/kernel/tslab.js";

const require = createRequire(import.meta.url);
const source = (file: string): string => readFileSync(require.resolve(`tslab/dist/${file}`), "utf8");

describe("patches of tslab", () => {
  it("fit the installed tslab, each place exactly once", () => {
    expect((require("tslab/package.json") as { version: string }).version).toBe(TSLAB_VERSION);
    const patches = converterPatches("/project", "/project/notebooks");
    const patched = applyPatches(source("converter.js"), patches, "converter.js");
    expect(patched).toContain('rootDir: "/project"');
    expect(patched).toContain('outDir, "notebooks", "__tslab__.js"');
    expect(applyPatches(source("executor.js"), EXECUTOR_PATCHES, "executor.js")).toContain("cellFileName()");
  });

  it.each(converterPatches("/project", "/project"))("name themselves when tslab changes: $name", (patch) => {
    const changed = source("converter.js").replace(patch.find, "");
    expect(() => applyPatches(changed, [patch], "converter.js")).toThrow(
      `tslab is not the version this launcher mends (${TSLAB_VERSION}): in converter.js the place of the patch "${patch.name}" was found 0 times`,
    );
  });

  it("refuse a place that became ambiguous", () => {
    const [patch] = EXECUTOR_PATCHES;
    if (!patch) throw new Error("there is a patch of the executor");
    expect(() => applyPatches(patch.find + patch.find, [patch], "executor.js")).toThrow(/found 2 times/);
  });
});
