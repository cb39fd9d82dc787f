import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError, type MimeBundle, type Parameter, study, studyRecord } from "../../src/index.js";

const home = process.cwd();
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clientele-study-"));
  writeFileSync(join(folder, "orders.csv"), "id,amount\n1,2\n");
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

describe("study", () => {
  it("records data by hash, seed, parameters and versions", () => {
    const record = studyRecord({
      title: "Whom to serve?",
      data: ["orders.csv"],
      seed: 7,
      parameters: { bins: 5, channels: ["web"] },
    });
    expect(record).toMatchObject({
      title: "Whom to serve?",
      data: [
        {
          path: "orders.csv",
          sha256: "3bbb031ae8ca57517a89cc79462a85a6f9479b168eb95928cffad238fd5c8310",
          bytes: 14,
        },
      ],
      seed: 7,
      parameters: { bins: 5, channels: ["web"] },
    });
    expect(record.versions["clientele"]).toMatch(/^\d+\.\d+\.\d+/);
    expect(record.versions["arquero"]).toMatch(/^8\./);
    expect(Object.isFrozen(record)).toBe(true);
  });

  it("shows one output that names neither the machine nor the time", () => {
    const bundles: MimeBundle[] = [];
    const spec = { title: "Whom to serve?", data: ["./orders.csv"], seed: 7, parameters: { cut: "<5" } };
    for (let run = 0; run < 2; run++) study(spec, { sink: (bundle) => bundles.push(bundle) });
    expect(Object.keys(bundles[0] ?? {})).toEqual([
      "application/vnd.clientele.study+json",
      "text/html",
      "text/plain",
    ]);
    const output = JSON.stringify(bundles[0]);
    expect(output).toBe(JSON.stringify(bundles[1]));
    expect(output).not.toContain(folder);
    expect(output).not.toContain(process.version.slice(1));
    expect(String(bundles[0]?.["text/html"])).toContain("cut &quot;&lt;5&quot;");
    expect(String(bundles[0]?.["text/plain"])).toMatch(
      /^Whom to serve\?\ndata {8}\.\/orders\.csv \(14 bytes, SHA-256 [0-9a-f]{12}…\)\nseed {8}7\n/,
    );
  });

  it("does without seed and parameters", () => {
    expect(studyRecord({ title: "t", data: [] })).toMatchObject({ seed: null, parameters: {} });
  });

  it("rejects data it cannot find or that names the machine, seeds and parameters that cannot be repeated", () => {
    const spec = { title: "t", data: [] as string[] };
    expect(() => studyRecord({ ...spec, data: ["gone.csv"] })).toThrow(
      new DataError("study: data file gone.csv must exist, seen from the notebook's folder"),
    );
    expect(() => studyRecord({ ...spec, data: [join(folder, "orders.csv")] })).toThrow(
      /^study: data paths must be relative to the notebook, got /,
    );
    expect(() => studyRecord({ ...spec, seed: 0.5 })).toThrow(
      new RangeError("seed must be a whole number, got 0.5"),
    );
    expect(() => studyRecord({ ...spec, parameters: { cut: Number.NaN } })).toThrow(
      new DataError("study: parameter cut must be text, number, boolean, null or a list, got NaN"),
    );
    expect(() => studyRecord({ ...spec, parameters: { when: new Date() as unknown as Parameter } })).toThrow(
      DataError,
    );
  });
});
