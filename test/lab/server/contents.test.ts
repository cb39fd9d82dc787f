import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeFileAtomic } from "../../../src/lab/files.js";
import { parseNotebook, serialiseNotebook } from "../../../src/lab/notebook/format.js";
import { ask, askJson, codeCell, notebookOf, serve, type Workplace, workplace } from "./support.js";

const put = (content: unknown, type = "notebook"): { method: string; body: object } => ({
  method: "PUT",
  body: { type, format: type === "notebook" ? "json" : "text", content },
});

/** Names in a folder, hidden ones too, that a careless save might leave. */
const leftovers = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.includes(".tmp"));

describe("reading", () => {
  it("lists a folder without hidden files and without what leads outside", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "b.csv"), "x\n1\n");
    await writeFile(join(place.root, ".secret"), "");
    await symlink("/etc", join(place.root, "out"));
    await symlink("/nowhere", join(place.root, "broken"));
    await symlink("b.csv", join(place.root, "link.csv"));
    const server = await serve(place);
    const { body } = await askJson(server, "/api/contents");
    expect(body).toMatchObject({ name: "", path: "", type: "directory", format: "json", size: null });
    const listed = body["content"] as { name: string; type: string; content: unknown; size: number | null }[];
    expect(listed.map(({ name, type, content, size }) => [name, type, content, size])).toEqual([
      ["b.csv", "file", null, 4],
      ["link.csv", "file", null, 4],
      ["notebooks", "directory", null, null],
    ]);
    const brief = await askJson(server, "/api/contents?content=0");
    expect(brief.body).toMatchObject({ content: null, format: null });
  });

  it("gives UTF-8 as text, anything else as base64, and says so when text was asked for", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "utf8.csv"), "Größe\n");
    await writeFile(join(place.root, "latin1.csv"), Buffer.from("Gr\xf6\xdfe\n", "latin1"));
    const server = await serve(place);
    const text = await askJson(server, "/api/contents/utf8.csv");
    expect(text.body).toMatchObject({
      format: "text",
      content: "Größe\n",
      mimetype: "text/csv",
      type: "file",
    });
    const forced = await askJson(server, "/api/contents/utf8.csv?format=base64");
    expect(forced.body["content"]).toBe(Buffer.from("Größe\n").toString("base64"));
    const binary = await askJson(server, "/api/contents/latin1.csv");
    expect(binary.body).toMatchObject({ format: "base64", content: "R3L232UK" });
    const refused = await askJson(server, "/api/contents/latin1.csv?format=text");
    expect(refused).toEqual({
      status: 400,
      body: { message: "latin1.csv is not UTF-8 encoded", reason: "bad format" },
    });
  });

  it("hashes what is on disk when asked", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.txt"), "abc");
    const server = await serve(place);
    const { body } = await askJson(server, "/api/contents/a.txt?content=0&hash=1");
    // SHA-256 of "abc", FIPS 180-4
    expect(body["hash"]).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(body).toMatchObject({ hash_algorithm: "sha256", content: null, format: null });
    expect((await askJson(server, "/api/contents/a.txt")).body["hash"]).toBeNull();
  });

  it("refuses the wrong type, odd options, hidden and missing files", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.txt"), "");
    await writeFile(join(place.root, ".env"), "SECRET=1");
    const server = await serve(place);
    const status = async (path: string): Promise<number> =>
      (await ask(server, `/api/contents/${path}`)).status;
    expect(await status("a.txt?type=directory")).toBe(400);
    expect(await status("notebooks?type=file")).toBe(400);
    expect(await status("a.txt?content=2")).toBe(400);
    expect(await status("a.txt?format=xml")).toBe(400);
    expect(await status(".env")).toBe(404);
    expect(await status("missing.txt")).toBe(404);
    expect(await status("a.txt/b")).toBe(404);
  });

  it("says what is wrong with a truncated notebook, and still opens it as a text", async () => {
    const place = await workplace();
    const whole = serialiseNotebook(parseNotebook(JSON.stringify(notebookOf(codeCell("1 + 1"))), "x"));
    await writeFile(join(place.root, "cut.ipynb"), whole.slice(0, whole.length / 2));
    const server = await serve(place);
    const { status, body } = await askJson(server, "/api/contents/cut.ipynb");
    expect(status).toBe(400);
    expect(body["message"]).toMatch(/^cut\.ipynb: not a complete notebook file/);
    expect((await askJson(server, "/api/contents/cut.ipynb?type=file")).body["format"]).toBe("text");
    expect((await ask(server, "/api/status")).status).toBe(200);
  });

  it("refuses to send a file too large for a browser", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "large.csv"), "x".repeat(2000));
    const server = await serve(place, { limits: { fileBytes: 1000 } });
    expect((await ask(server, "/api/contents/large.csv")).status).toBe(413);
    expect((await ask(server, "/api/contents/large.csv?content=0")).status).toBe(200);
    expect((await ask(server, "/files/large.csv")).text).toHaveLength(2000);
  });
});

describe("saving", () => {
  it("writes a notebook as nbformat does and tells new from old", async () => {
    const place = await workplace();
    const server = await serve(place);
    const content = notebookOf(codeCell("let a = 1;\na", [], { trusted: true }));
    expect((await ask(server, "/api/contents/a.ipynb", put(content))).status).toBe(201);
    const { status, body } = await askJson(server, "/api/contents/a.ipynb", put(content));
    expect(status).toBe(200);
    expect(body).toMatchObject({ type: "notebook", path: "a.ipynb", content: null, format: null });
    const text = await readFile(join(place.root, "a.ipynb"), "utf8");
    expect(text).toBe(serialiseNotebook(parseNotebook(text, "a.ipynb")));
    expect(text).not.toContain("trusted");
    expect(text).toContain('"let a = 1;\\n",');
    expect(await leftovers(place.root)).toEqual([]);
  });

  it("refuses bodies that are no JSON, no notebook, no base64, or not for this place", async () => {
    const place = await workplace();
    const server = await serve(place);
    const status = async (path: string, body: unknown): Promise<number> =>
      (await ask(server, `/api/contents/${path}`, { method: "PUT", body })).status;
    expect(await status("a.ipynb", { type: "notebook", content: { cells: 1, nbformat: 4 } })).toBe(400);
    expect(await status("a.bin", { type: "file", format: "base64", content: "§§" })).toBe(400);
    expect(await status("a.txt", { type: "file", format: "text", content: { a: 1 } })).toBe(400);
    expect(await status("notebooks", { type: "file", format: "text", content: "" })).toBe(400);
    expect(await status("none/a.txt", { type: "file", format: "text", content: "" })).toBe(404);
    expect(await status(".hidden", { type: "file", format: "text", content: "" })).toBe(400);
    expect(await status("a.txt", ["a"])).toBe(400);
    expect(await readdir(place.root)).toEqual(["notebooks"]);
  });

  it("refuses a body that is not JSON at all", async () => {
    const place = await workplace();
    const server = await serve(place);
    const answer = await fetch(`http://127.0.0.1:${server.port.toString()}/api/contents/a.txt`, {
      method: "PUT",
      headers: { authorization: `token ${server.token}` },
      body: '{"type": ',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      message: expect.stringContaining("not valid JSON") as string,
    });
  });

  it("creates untitled notebooks, files and folders under free names", async () => {
    const place = await workplace();
    const server = await serve(place);
    const create = async (body: object): Promise<unknown> =>
      (await askJson(server, "/api/contents/notebooks", { method: "POST", body })).body["path"];
    const made = await Promise.all([1, 2, 3].map(() => create({ type: "notebook" })));
    expect(made.sort()).toEqual([
      "notebooks/Untitled.ipynb",
      "notebooks/Untitled1.ipynb",
      "notebooks/Untitled2.ipynb",
    ]);
    expect(await create({ type: "file", ext: ".ts" })).toBe("notebooks/untitled.ts");
    expect(await create({ type: "directory" })).toBe("notebooks/Untitled Folder");
    expect(await create({ type: "directory" })).toBe("notebooks/Untitled Folder 1");
    const opened = await askJson(server, "/api/contents/notebooks/Untitled.ipynb");
    expect(opened.body["content"]).toMatchObject({
      nbformat: 4,
      metadata: { kernelspec: { name: "tslab" } },
    });
    expect((await ask(server, "/api/contents", { method: "POST", body: { ext: "/../x" } })).status).toBe(400);
  });

  it("copies beside and into other folders", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.csv"), "1");
    const server = await serve(place);
    const copy = async (to: string, from: string): Promise<unknown> =>
      (await askJson(server, `/api/contents${to}`, { method: "POST", body: { copy_from: from } })).body[
        "path"
      ];
    expect(await copy("", "a.csv")).toBe("a-Copy1.csv");
    expect(await copy("", "a-Copy1.csv")).toBe("a-Copy2.csv");
    expect(await copy("/notebooks", "a.csv")).toBe("notebooks/a.csv");
    expect(await copy("/notebooks", "a.csv")).toBe("notebooks/a-Copy1.csv");
    expect(await copy("", "notebooks")).toBe("notebooks-Copy1");
    expect(await readFile(join(place.root, "notebooks-Copy1", "a.csv"), "utf8")).toBe("1");
  });

  it("takes an upload in chunks and shows it only when it is whole", async () => {
    const place = await workplace();
    const server = await serve(place);
    const data = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 256));
    const chunk = (number: number, from: number, to: number): Promise<{ status: number }> =>
      askJson(server, "/api/contents/data.bin", {
        method: "PUT",
        body: {
          type: "file",
          format: "base64",
          chunk: number,
          content: data.subarray(from, to).toString("base64"),
        },
      });
    expect((await chunk(1, 0, 1000)).status).toBe(201);
    expect((await ask(server, "/api/contents/data.bin")).status).toBe(404);
    await chunk(2, 1000, 2000);
    await chunk(-1, 2000, 3000);
    expect(await readFile(join(place.root, "data.bin"))).toEqual(data);
    await chunk(1, 0, 1000);
    expect((await chunk(3, 2000, 3000)).status).toBe(400);
    expect(await readFile(join(place.root, "data.bin"))).toEqual(data);
    expect(await leftovers(place.root)).toEqual([]);
  });

  it("keeps one whole version when two saves come at once", async () => {
    const place = await workplace();
    const server = await serve(place);
    const versions = Array.from({ length: 8 }, (_, i) => notebookOf(codeCell(String(i).repeat(200_000))));
    const answers = await Promise.all(
      versions.map((content) => ask(server, "/api/contents/a.ipynb", put(content))),
    );
    expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true);
    const saved = parseNotebook(await readFile(join(place.root, "a.ipynb"), "utf8"), "a.ipynb");
    expect(saved.cells[0]?.source).toMatch(/^(\d)\1{199999}$/);
    expect(await leftovers(place.root)).toEqual([]);
  });

  it("lets a client see that the file changed on disk", async () => {
    const place = await workplace();
    const server = await serve(place);
    await ask(server, "/api/contents/a.txt", put("mine", "file"));
    const before = await askJson(server, "/api/contents/a.txt?content=0&hash=1");
    await writeFile(join(place.root, "a.txt"), "theirs");
    await utimes(join(place.root, "a.txt"), new Date(), new Date(Date.now() + 5000));
    const after = await askJson(server, "/api/contents/a.txt?content=0&hash=1");
    expect(after.body["hash"]).not.toBe(before.body["hash"]);
    expect(Date.parse(String(after.body["last_modified"]))).toBeGreaterThan(
      Date.parse(String(before.body["last_modified"])) + 1000,
    );
  });

  it("writes through a link inside the folder and keeps the link", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "target.txt"), "old");
    await symlink("target.txt", join(place.root, "link.txt"));
    const server = await serve(place);
    expect((await ask(server, "/api/contents/link.txt", put("new", "file"))).status).toBe(200);
    expect(await readFile(join(place.root, "target.txt"), "utf8")).toBe("new");
    await ask(server, "/api/contents/link.txt", { method: "PATCH", body: { path: "renamed.txt" } });
    expect(await readFile(join(place.root, "renamed.txt"), "utf8")).toBe("new");
    expect((await ask(server, "/api/contents/renamed.txt", { method: "DELETE" })).status).toBe(204);
    expect(await readFile(join(place.root, "target.txt"), "utf8")).toBe("new");
  });
});

describe("a full disk", () => {
  /** Saves a small file, then a large one on a full disk, and looks at what is left. */
  async function fillUp(place: Workplace, options: Parameters<typeof serve>[1] = {}): Promise<void> {
    const server = await serve(place, options);
    const sized = {
      "a.ipynb": (text: string) => put(notebookOf(codeCell(text))),
      "a.txt": (text: string) => put(text, "file"),
    };
    for (const [name, body] of Object.entries(sized)) {
      expect((await ask(server, `/api/contents/${name}`, body("small"))).status).toBe(201);
      const old = await readFile(join(place.root, name), "utf8");
      const answer = await askJson(server, `/api/contents/${name}`, body("x".repeat(500_000)));
      expect(answer).toMatchObject({
        status: 507,
        body: { message: `no space left on the disk: ${name} was not saved, the file on disk is unchanged` },
      });
      expect(await readFile(join(place.root, name), "utf8")).toBe(old);
    }
    expect(await leftovers(place.root)).toEqual([]);
  }

  it("keeps the old file and tells the user (a write that fails)", async () => {
    const place = await workplace();
    await fillUp(place, {
      parts: {
        writeFile: (path, data) =>
          data.length < 100_000
            ? writeFileAtomic(path, data)
            : Promise.reject(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })),
      },
    });
  });

  it.runIf(process.platform === "linux" && process.getuid?.() === 0)(
    "keeps the old file and tells the user (a file system of 256 kB)",
    async (context) => {
      const place = await workplace();
      try {
        execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", place.root], {
          stdio: "ignore",
        });
      } catch {
        context.skip("this machine does not let root mount");
      }
      onTestFinished(() => void execFileSync("/bin/umount", ["-l", place.root]));
      await fillUp(place);
      const server = await serve(place);
      const chunk = { type: "file", format: "text", chunk: 1, content: "x".repeat(500_000) };
      expect((await ask(server, "/api/contents/big.bin", { method: "PUT", body: chunk })).status).toBe(507);
      // Fits once, but not a second time as its checkpoint: that is no failure to save.
      const answer = await ask(
        server,
        "/api/contents/b.ipynb",
        put(notebookOf(codeCell("x".repeat(150_000)))),
      );
      expect(answer.status).toBe(201);
      expect(place.lines.join("\n")).toContain("b.ipynb is saved, but not signed or without checkpoint");
      expect(await leftovers(place.root)).toEqual([]);
    },
  );
});

describe("renaming and deleting", () => {
  it("moves a file with its checkpoint, and never over another file", async () => {
    const place = await workplace();
    const server = await serve(place);
    await ask(server, "/api/contents/a.ipynb", put(notebookOf(codeCell("a"))));
    await ask(server, "/api/contents/b.ipynb", put(notebookOf(codeCell("b"))));
    const rename = (from: string, to: unknown) =>
      askJson(server, `/api/contents/${from}`, { method: "PATCH", body: { path: to } });
    expect((await rename("a.ipynb", "b.ipynb")).status).toBe(409);
    expect((await rename("a.ipynb", "none/b.ipynb")).status).toBe(404);
    expect((await rename("a.ipynb", "../b.ipynb")).status).toBe(403);
    expect((await rename("a.ipynb", ".b")).status).toBe(400);
    expect((await rename("a.ipynb", 1)).status).toBe(400);
    const moved = await rename("a.ipynb", "notebooks/c d.ipynb");
    expect(moved).toMatchObject({
      status: 200,
      body: { path: "notebooks/c d.ipynb", name: "c d.ipynb", type: "notebook" },
    });
    expect(
      JSON.parse((await ask(server, "/api/contents/notebooks/c%20d.ipynb/checkpoints")).text),
    ).toHaveLength(1);
    expect((await ask(server, "/api/contents/a.ipynb")).status).toBe(404);
  });

  it("deletes files and empty folders, not folders with files and not the root", async () => {
    const place = await workplace();
    const server = await serve(place);
    await ask(server, "/api/contents/notebooks/a.ipynb", put(notebookOf(codeCell("a"))));
    const remove = async (path: string): Promise<number> =>
      (await ask(server, `/api/contents${path}`, { method: "DELETE" })).status;
    expect(await remove("/notebooks")).toBe(400);
    expect(await remove("")).toBe(400);
    expect(await remove("/notebooks/a.ipynb")).toBe(204);
    expect(await remove("/notebooks/a.ipynb")).toBe(404);
    expect(await remove("/notebooks")).toBe(204); // the checkpoint folder does not count
    expect(await readdir(place.root)).toEqual([]);
  });
});

describe("checkpoints", () => {
  it("are created with the first save, listed, replaced, restored and deleted", async () => {
    const place = await workplace();
    const server = await serve(place);
    const url = "/api/contents/notebooks/a.ipynb";
    const source = async (): Promise<string | undefined> =>
      parseNotebook(await readFile(join(place.root, "notebooks/a.ipynb"), "utf8"), "a").cells[0]?.source;
    await ask(server, url, put(notebookOf(codeCell("one"))));
    await ask(server, url, put(notebookOf(codeCell("two"))));
    expect(JSON.parse((await ask(server, `${url}/checkpoints`)).text)).toMatchObject([{ id: "checkpoint" }]);
    expect((await ask(server, `${url}/checkpoints/checkpoint`, { method: "POST" })).status).toBe(204);
    expect(await source()).toBe("one");
    await ask(server, url, put(notebookOf(codeCell("three"))));
    const created = await askJson(server, `${url}/checkpoints`, { method: "POST" });
    expect(created).toMatchObject({ status: 201, body: { id: "checkpoint" } });
    await ask(server, url, put(notebookOf(codeCell("four"))));
    await ask(server, `${url}/checkpoints/checkpoint`, { method: "POST" });
    expect(await source()).toBe("three");
    expect(await readdir(join(place.root, "notebooks/.ipynb_checkpoints"))).toEqual(["a-checkpoint.ipynb"]);
    expect((await ask(server, `${url}/checkpoints/other`, { method: "POST" })).status).toBe(404);
    expect((await ask(server, `${url}/checkpoints/checkpoint`, { method: "DELETE" })).status).toBe(204);
    expect((await ask(server, `${url}/checkpoints`)).text).toBe("[]");
    expect((await ask(server, `${url}/checkpoints/checkpoint`, { method: "POST" })).status).toBe(404);
    expect((await ask(server, "/api/contents/none.ipynb/checkpoints", { method: "POST" })).status).toBe(404);
  });

  it("cannot be read as files", async () => {
    const place = await workplace();
    await mkdir(join(place.root, ".ipynb_checkpoints"));
    await writeFile(join(place.root, ".ipynb_checkpoints/a-checkpoint.ipynb"), "{}");
    const server = await serve(place);
    expect((await ask(server, "/api/contents/.ipynb_checkpoints/a-checkpoint.ipynb")).status).toBe(404);
    expect((await ask(server, "/files/.ipynb_checkpoints/a-checkpoint.ipynb")).status).toBe(404);
  });
});
