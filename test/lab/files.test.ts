import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomic } from "../../src/lab/files.js";

describe("writeFileAtomic", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "clientele-files-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("creates the folder, replaces the file, keeps its mode and leaves nothing else", async () => {
    const path = join(folder, "deep", "er", "file.txt");
    await writeFileAtomic(path, "one");
    chmodSync(path, 0o640);
    await writeFileAtomic(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(join(folder, "deep", "er"))).toEqual(["file.txt"]);
  });

  it("writes through a link", async () => {
    writeFileSync(join(folder, "real.txt"), "old");
    symlinkSync(join(folder, "real.txt"), join(folder, "link.txt"));
    await writeFileAtomic(join(folder, "link.txt"), "new");
    expect(readFileSync(join(folder, "real.txt"), "utf8")).toBe("new");
  });

  it("keeps what was there and cleans up when it fails", async () => {
    mkdirSync(join(folder, "taken", "inside"), { recursive: true });
    await expect(writeFileAtomic(join(folder, "taken"), "x")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder)).toEqual(["taken"]);
    expect(readdirSync(join(folder, "taken"))).toEqual(["inside"]);
  });

  it("leaves one whole file of two written at once", async () => {
    const path = join(folder, "file.txt");
    const [a, b] = ["a".repeat(1_000_000), "b".repeat(1_000_000)];
    await Promise.all([writeFileAtomic(path, a), writeFileAtomic(path, b)]);
    expect([a, b]).toContain(readFileSync(path, "utf8"));
    expect(readdirSync(folder)).toEqual(["file.txt"]);
  });
});
