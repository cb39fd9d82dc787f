import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Notebook, readNotebook } from "../../../src/lab/notebook/format.js";
import type { LabServer } from "../../../src/lab/server/server.js";
import { isTrustedThroughout, Notary } from "../../../src/lab/server/trust.js";
import { ask, askJson, codeCell, notebookOf, serve, temporaryFolder, workplace } from "./support.js";

const active = {
  output_type: "display_data",
  data: { "text/html": "<script>steal()</script>" },
  metadata: {},
};
const printed = { output_type: "stream", name: "stdout", text: "1\n" };
const figure = {
  output_type: "display_data",
  data: { "application/vnd.plotly.v1+json": { data: [] }, "text/plain": "a figure" },
  metadata: {},
};

/** Trust marks of the code cells as a browser gets them. */
async function marks(server: LabServer, path: string): Promise<unknown[]> {
  const { body } = await askJson(server, `/api/contents/${path}`);
  return (body["content"] as Notebook).cells
    .filter((cell) => cell.cell_type === "code")
    .map((cell) => cell.metadata["trusted"]);
}

const foreign = JSON.stringify(
  notebookOf(codeCell("1", [active]), codeCell("22", [printed]), codeCell("333", [figure])),
);

describe("a notebook from elsewhere", () => {
  it("is not trusted where its output is active, is after the user said so, and not after a change outside", async () => {
    const place = await workplace();
    const file = join(place.root, "a.ipynb");
    await writeFile(file, foreign);
    const server = await serve(place);
    expect(await marks(server, "a.ipynb")).toEqual([false, true, true]);
    expect((await ask(server, "/api/contents/a.ipynb/trust", { method: "POST" })).status).toBe(201);
    expect(await marks(server, "a.ipynb")).toEqual([true, true, true]);
    expect(await readFile(file, "utf8")).toBe(foreign); // trust is kept beside, not in the file
    await writeFile(file, foreign.replace("steal", "steel"));
    expect(await marks(server, "a.ipynb")).toEqual([false, true, true]);
  });

  it("stays untrusted when it is saved without running the active cell", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.ipynb"), foreign);
    const server = await serve(place);
    const { body } = await askJson(server, "/api/contents/a.ipynb");
    await ask(server, "/api/contents/a.ipynb", {
      method: "PUT",
      body: { type: "notebook", content: body["content"] },
    });
    expect(await marks(server, "a.ipynb")).toEqual([false, true, true]);
  });

  it("is trusted after the user ran the active cell and saved", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.ipynb"), foreign);
    const server = await serve(place);
    // What the front end sends then: the cell it ran is marked.
    const content = notebookOf(
      codeCell("1", [active], { trusted: true }),
      codeCell("22", [printed], { trusted: true }),
    );
    await ask(server, "/api/contents/a.ipynb", { method: "PUT", body: { type: "notebook", content } });
    expect(await marks(server, "a.ipynb")).toEqual([true, true]);
  });

  it("does not become trusted by marks inside the file", async () => {
    const place = await workplace();
    const server = await serve(place);
    await writeFile(
      join(place.root, "a.ipynb"),
      JSON.stringify(notebookOf(codeCell("1", [active], { trusted: true }))),
    );
    expect(await marks(server, "a.ipynb")).toEqual([false]);
  });

  it("cannot be vouched for when it is no notebook", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.ipynb"), foreign.slice(0, 50));
    const server = await serve(place);
    expect((await ask(server, "/api/contents/a.ipynb/trust", { method: "POST" })).status).toBe(400);
    expect((await ask(server, "/api/contents/b.ipynb/trust", { method: "POST" })).status).toBe(404);
  });
});

describe("signatures", () => {
  const nb = (source: string): Notebook => readNotebook(notebookOf(codeCell(source, [active])), "x");

  it("outlive the server and are shared by two at once, but not by another user", async () => {
    const folder = await temporaryFolder();
    const [first, second] = [await Notary.open(folder), await Notary.open(folder)];
    await first.sign(nb("a"));
    expect(await second.isSigned(nb("a"))).toBe(true);
    expect(await (await Notary.open(folder)).isSigned(nb("a"))).toBe(true);
    expect(await second.isSigned(nb("b"))).toBe(false);
    const stranger = await temporaryFolder();
    await writeFile(join(stranger, "signatures"), await readFile(join(folder, "signatures")));
    expect(await (await Notary.open(stranger)).isSigned(nb("a"))).toBe(false);
  });

  it("are kept in files for the user alone", async (context) => {
    if (process.platform === "win32") context.skip("left out: Windows knows no file modes");
    const folder = join(await temporaryFolder(), "state");
    const notary = await Notary.open(folder);
    await notary.sign(nb("a"));
    const modes = await Promise.all(
      ["", "notebook-secret", "signatures"].map(
        async (name) => (await stat(join(folder, name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
  });

  it("are bounded: the oldest are forgotten", async () => {
    const folder = await temporaryFolder();
    const notary = await Notary.open(folder, 8);
    for (let i = 0; i < 9; i++) await notary.sign(nb(`cell ${i.toString()}`));
    const known = async (store: Notary): Promise<boolean[]> =>
      Promise.all(Array.from({ length: 9 }, (_, i) => store.isSigned(nb(`cell ${i.toString()}`))));
    expect(await known(notary)).toEqual([false, false, false, true, true, true, true, true, true]);
    expect(await known(await Notary.open(folder, 8))).toEqual(await known(notary));
  });

  it("need every cell to be marked or harmless", () => {
    const check = (...cells: object[]): boolean =>
      isTrustedThroughout(readNotebook(notebookOf(...cells), "x"));
    expect(check()).toBe(true);
    expect(check(codeCell("1", [printed, figure]))).toBe(true);
    expect(check(codeCell("1", [active]))).toBe(false);
    expect(check(codeCell("1", [active], { trusted: "yes" }))).toBe(false);
    expect(check(codeCell("1", [active], { trusted: true }), codeCell("2", [active]))).toBe(false);
    for (const type of [
      "image/svg+xml",
      "text/markdown",
      "application/javascript",
      "application/x-unknown",
    ]) {
      expect(
        check(
          codeCell("1", [
            { output_type: "execute_result", data: { [type]: "x" }, metadata: {}, execution_count: 1 },
          ]),
        ),
      ).toBe(false);
    }
  });
});
