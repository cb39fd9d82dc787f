import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask, askJson, serve, workplace } from "./support.js";

describe("pages", () => {
  it("tell the front end which page and folder it shows", async () => {
    const place = await workplace();
    const server = await serve(place);
    const config = async (path: string): Promise<Record<string, string>> => {
      const { text } = await ask(server, path);
      return JSON.parse(
        /<script id="jupyter-config-data"[^>]*>(.*?)<\/script>/.exec(text)?.[1] ?? "",
      ) as Record<string, string>;
    };
    const tree = await config("/tree/notebooks");
    expect(tree).toMatchObject({
      appName: "Clientele",
      notebookPage: "tree",
      treePath: "notebooks",
      token: "",
      baseUrl: "/",
    });
    expect(Object.values(tree).every((value) => typeof value === "string")).toBe(true);
    expect(await config("/notebooks/notebooks/new.ipynb")).toMatchObject({ notebookPage: "notebooks" });
    expect(await config("/edit/a.ts")).toMatchObject({ notebookPage: "edit" });
  });

  it("send the browser to the page that fits", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "notebooks/a b.ipynb"), "{}");
    await writeFile(join(place.root, "a.csv"), "");
    const server = await serve(place);
    const target = async (path: string): Promise<string | undefined> =>
      (await ask(server, path)).headers.location;
    expect(await target("/")).toBe("/tree");
    expect(await target("/tree/notebooks/a%20b.ipynb")).toBe("/notebooks/notebooks/a%20b.ipynb");
    expect(await target("/tree/a.csv")).toBe("/edit/a.csv");
    expect(await target("/notebooks/notebooks")).toBe("/tree/notebooks");
    expect((await ask(server, "/tree/none")).status).toBe(404);
  });
});

describe("static files", () => {
  it("come compressed to who takes it, are cached by hash or asked for again by ETag", async () => {
    const place = await workplace();
    const main = join(place.uiDir, "static/main.js");
    await writeFile(main, "plain");
    await writeFile(`${main}.gz`, gzipSync("packed"));
    await writeFile(join(place.uiDir, "static/chunk.0123456789abcdef.js"), "chunk");
    const server = await serve(place);
    const plain = await ask(server, "/static/main.js");
    expect(plain.text).toBe("plain");
    expect(plain.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "private, no-cache",
      vary: "Accept-Encoding",
      "content-length": "5",
    });
    const packed = await ask(server, "/static/main.js", { headers: { "accept-encoding": "br;q=1.0, gzip" } });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.headers.etag).not.toBe(plain.headers.etag);
    const again = await ask(server, "/static/main.js", { headers: { "if-none-match": plain.headers.etag } });
    expect([again.status, again.text]).toEqual([304, ""]);
    await writeFile(main, "changed");
    const changed = await ask(server, "/static/main.js", {
      headers: { "if-none-match": plain.headers.etag },
    });
    expect(changed.text).toBe("changed");
    const chunk = await ask(server, "/static/chunk.0123456789abcdef.js");
    expect(chunk.headers["cache-control"]).toContain("immutable");
    expect((await ask(server, "/static/none.js")).status).toBe(404);
    expect((await ask(server, "/static/")).status).toBe(404);
  });

  it("include themes and icons", async () => {
    const place = await workplace();
    await mkdir(join(place.uiDir, "themes/@jupyterlab/theme-light-extension"), { recursive: true });
    await writeFile(join(place.uiDir, "themes/@jupyterlab/theme-light-extension/index.css"), "body{}");
    const server = await serve(place);
    const theme = await ask(server, "/lab/api/themes/@jupyterlab/theme-light-extension/index.css");
    expect([theme.text, theme.headers["content-type"]]).toEqual(["body{}", "text/css; charset=utf-8"]);
    const icons = await Promise.all(
      ["favicon.ico", "favicon-busy-1.ico"].map((name) => ask(server, `/static/favicons/${name}`)),
    );
    expect(icons[0]?.text).toMatch(/^<svg/);
    expect(icons[0]?.text).not.toBe(icons[1]?.text);
  });
});

describe("settings", () => {
  const id = "@jupyterlab/apputils-extension:themes";

  it("are read with their schema, saved as written, and listed shortcuts first", async () => {
    const place = await workplace();
    const schemas = {
      "a:z": { schema: {}, version: "1" },
      [id]: { schema: { title: "Theme" }, version: "4.6.4" },
      "@jupyterlab/shortcuts-extension:shortcuts": { schema: {}, version: "1" },
    };
    await writeFile(join(place.uiDir, "schemas.json"), JSON.stringify(schemas));
    const server = await serve(place);
    const url = `/lab/api/settings/${encodeURIComponent(id)}`;
    expect((await askJson(server, url)).body).toMatchObject({
      id,
      raw: "{}",
      settings: {},
      version: "4.6.4",
      schema: { title: "Theme" },
    });
    const raw =
      '{\n  // dark at night, see https://example.org\n  "theme": "JupyterLab Dark", /* , } */\n  "url": "http://x", }';
    expect((await ask(server, url, { method: "PUT", body: { raw } })).status).toBe(204);
    expect((await askJson(server, `/lab/api/settings/${id}`)).body).toMatchObject({
      raw,
      settings: { theme: "JupyterLab Dark", url: "http://x" },
    });
    const { body } = await askJson(server, "/lab/api/settings");
    expect((body["settings"] as { id: string }[]).map((plugin) => plugin.id)).toEqual([
      "@jupyterlab/shortcuts-extension:shortcuts",
      id,
      "a:z",
    ]);
    expect((await askJson(server, "/lab/api/settings?ids_only=true")).body["settings"]).toContainEqual({
      id,
    });
    expect((await ask(server, "/lab/api/settings/none:x")).status).toBe(404);
    expect((await ask(server, url, { method: "PUT", body: {} })).status).toBe(400);
    const again = await serve(place);
    expect((await askJson(again, url)).body).toMatchObject({ raw });
  });

  it("work without a built front end", async () => {
    const server = await serve(await workplace());
    expect((await askJson(server, "/lab/api/settings")).body).toEqual({ settings: [] });
  });

  it("of the configuration are merged and kept", async () => {
    const place = await workplace();
    const server = await serve(place);
    const patch = (body: object) => askJson(server, "/api/config/notebook", { method: "PATCH", body });
    expect((await askJson(server, "/api/config/notebook")).body).toEqual({});
    await patch({ a: { b: 1, c: 2 } });
    expect((await patch({ a: { b: null, d: 3 } })).body).toEqual({ a: { c: 2, d: 3 } });
    expect((await askJson(await serve(place), "/api/config/notebook")).body).toEqual({ a: { c: 2, d: 3 } });
    expect((await ask(server, "/api/config/..%2fx")).status).toBe(404);
    expect(
      JSON.parse(await readFile(join(place.stateDir, "settings/section-notebook.json"), "utf8")),
    ).toEqual({ a: { c: 2, d: 3 } });
  });
});

describe("small services", () => {
  it("answer as the front end expects", async () => {
    const server = await serve(await workplace());
    const body = async (path: string): Promise<unknown> => JSON.parse((await ask(server, path)).text);
    expect(await body("/api")).toEqual({ version: expect.stringMatching(/^2\./) as string });
    expect(await body("/api/me")).toMatchObject({ identity: { username: "local" } });
    expect(await body("/api/status")).toMatchObject({ kernels: 0, connections: 0 });
    expect(await body("/api/kernelspecs")).toMatchObject({
      default: "tslab",
      kernelspecs: { tslab: { spec: { language: "typescript" } } },
    });
    expect(await body("/api/terminals")).toEqual([]);
    expect(await body("/api/nbconvert")).toEqual({});
    expect(await body("/lab/api/translations")).toMatchObject({ data: { en: {} } });
    expect(await body("/lab/api/translations/en")).toEqual({ data: {}, message: "" });
    expect(await body("/lab/api/listings/x.json")).toEqual({
      blocked_extensions: [],
      allowed_extensions: [],
    });
    expect(await body("/lab/api/workspaces/default")).toEqual({ data: {}, metadata: { id: "default" } });
    await ask(server, "/lab/api/workspaces/default", { method: "PUT", body: { data: { a: 1 } } });
    expect(await body("/lab/api/workspaces/default")).toMatchObject({
      data: { a: 1 },
      metadata: { id: "default" },
    });
    expect(await body("/lab/api/workspaces")).toMatchObject({ workspaces: { ids: ["default"] } });
  });
});

describe("sessions", () => {
  it("answer at once, one for each notebook, and end with their kernel", async () => {
    const server = await serve(await workplace());
    const create = (body: object) => askJson(server, "/api/sessions", { method: "POST", body });
    const wanted = { path: "notebooks/a.ipynb", type: "notebook", name: "a", kernel: { name: "tslab" } };
    const [first, second] = await Promise.all([create(wanted), create(wanted)]);
    expect(first.status).toBe(201);
    expect(second.body["id"]).toBe(first.body["id"]);
    expect((await askJson(server, "/api/kernels")).body).toHaveLength(1);
    const url = `/api/sessions/${String(first.body["id"])}`;
    const renamed = await askJson(server, url, {
      method: "PATCH",
      body: { path: "notebooks/b.ipynb", name: "b" },
    });
    expect(renamed.body).toMatchObject({ path: "notebooks/b.ipynb", name: "b" });
    expect((renamed.body["kernel"] as { id: string }).id).toBe((first.body["kernel"] as { id: string }).id);
    const changed = await askJson(server, url, { method: "PATCH", body: { kernel: { name: "tslab" } } });
    expect((changed.body["kernel"] as { id: string }).id).not.toBe(
      (first.body["kernel"] as { id: string }).id,
    );
    expect((await askJson(server, "/api/kernels")).body).toHaveLength(1); // the replaced one is gone
    expect((await ask(server, url, { method: "DELETE" })).status).toBe(204);
    expect((await ask(server, url)).status).toBe(404);
    expect((await ask(server, "/api/kernels")).text).toBe("[]");
    const third = await create(wanted);
    await ask(server, `/api/kernels/${(third.body["kernel"] as { id: string }).id}`, { method: "DELETE" });
    expect((await ask(server, "/api/sessions")).text).toBe("[]");
  });

  it("refuse what is no session, and kernels of others", async () => {
    const server = await serve(await workplace());
    const create = (body: object) => askJson(server, "/api/sessions", { method: "POST", body });
    expect((await create({ type: "notebook" })).status).toBe(400);
    expect((await create({ path: "a", type: "notebook", kernel: { name: "python3" } })).status).toBe(501);
    expect((await create({ path: "a", type: "notebook", kernel: { id: "none" } })).status).toBe(404);
    expect((await ask(server, "/api/sessions")).text).toBe("[]");
  });

  it("start the kernel in the folder of the notebook, never outside of the root", async () => {
    const place = await workplace();
    const folders: string[] = [];
    const server = await serve(place, {
      parts: {
        startKernel: (options) => {
          folders.push(options.cwd);
          return Promise.reject(new Error("enough"));
        },
      },
    });
    for (const path of [
      "notebooks/a.ipynb",
      "a.ipynb",
      "notebooks",
      "../../a.ipynb",
      "/etc/passwd",
      "none/a.ipynb",
    ]) {
      await askJson(server, "/api/sessions", { method: "POST", body: { path, type: "notebook" } });
    }
    await expect.poll(() => folders.length).toBe(6);
    expect(folders.map((folder) => folder.slice(folder.lastIndexOf("/") + 1))).toEqual([
      "notebooks",
      "root",
      "notebooks",
      "root",
      "root",
      "root",
    ]);
  });
});

describe("the server", () => {
  it("takes the next port when the usual one is taken, and says so when a chosen one is", async () => {
    const place = await workplace();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(serve(place, { port })).rejects.toThrow(`no free port among ${port.toString()}`);
  });

  it("serves one folder twice: both see each other's files", async () => {
    const place = await workplace();
    const [first, second] = [await serve(place), await serve(place)];
    expect(first.port).not.toBe(second.port);
    await ask(first, "/api/contents/a.txt", {
      method: "PUT",
      body: { type: "file", format: "text", content: "hello" },
    });
    expect((await askJson(second, "/api/contents/a.txt")).body["content"]).toBe("hello");
    await first.close();
    expect((await askJson(second, "/api/contents/a.txt")).body["content"]).toBe("hello");
  });

  it("ends by the quit button, once", async () => {
    const server = await serve(await workplace());
    expect((await ask(server, "/api/shutdown", { method: "POST" })).status).toBe(200);
    await server.closed;
    await server.close();
    await expect(ask(server, "/api")).rejects.toThrow("ECONNREFUSED");
  });

  it("does not start without its folder", async () => {
    const place = await workplace();
    await expect(serve({ ...place, root: join(place.folder, "none") })).rejects.toThrow("ENOENT");
  });
});
