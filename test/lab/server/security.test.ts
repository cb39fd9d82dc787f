import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Guard, sameSecret } from "../../../src/lab/server/auth.js";
import type { LabServer } from "../../../src/lab/server/server.js";
import { ask, serve, workplace } from "./support.js";

const cookieOf = (setCookie: string[] | undefined): string => setCookie?.[0]?.split(";")[0] ?? "";

/** Logs in as a browser does and gives back its cookie. */
async function login(server: LabServer): Promise<string> {
  const { headers } = await ask(server, `/tree?token=${server.token}`, { headers: { authorization: "" } });
  return cookieOf(headers["set-cookie"]);
}

/** How a websocket handshake ends: "open" or the HTTP status. */
function handshake(
  server: LabServer,
  path: string,
  headers: Record<string, string>,
): Promise<string | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port.toString()}${path}`, { headers });
    socket.on("open", () => {
      socket.terminate();
      resolve("open");
    });
    socket.on("unexpected-response", (_, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on("error", reject);
  });
}

describe("who may come in", () => {
  it("lets nobody in without the token, whatever the address", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.csv"), "secret");
    await writeFile(join(place.uiDir, "static/main.js"), "secret");
    const server = await serve(place);
    const strangers = [
      {},
      { authorization: "token wrong" },
      { authorization: `token ${server.token}x` },
      { authorization: `Basic ${server.token}` },
      { cookie: `clientele-${server.port.toString()}=${server.token}` },
    ];
    for (const headers of strangers) {
      for (const path of [
        "/api",
        "/api/contents",
        "/api/contents/a.csv",
        "/static/main.js",
        "/lab/api/settings",
        "/nothing",
      ]) {
        const { status, text } = await ask(server, path, { headers: { authorization: "", ...headers } });
        expect([path, status]).toEqual([path, 403]);
        expect(JSON.parse(text)).toEqual({ message: "Forbidden", reason: "no valid token" });
      }
      for (const path of ["/", "/tree", "/notebooks/a.ipynb", "/files/a.csv", "/edit/a.csv"]) {
        const { status, text } = await ask(server, path, { headers: { authorization: "", ...headers } });
        expect([path, status]).toEqual([path, 401]);
        expect(text).toContain("the terminal");
        expect(text).not.toContain("secret");
      }
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        expect(
          (await ask(server, "/api/contents/a.csv", { method, headers: { authorization: "", ...headers } }))
            .status,
        ).toBe(403);
      }
    }
    expect(await readFile(join(place.root, "a.csv"), "utf8")).toBe("secret");
    expect((await ask(server, "/tree?token=wrong", { headers: { authorization: "" } })).text).toContain(
      "not the token",
    );
  });

  it("takes the token by header, query or cookie, and the cookie from a page address", async () => {
    const server = await serve(await workplace());
    for (const authorization of [`token ${server.token}`, `Bearer ${server.token}`]) {
      expect((await ask(server, "/api", { headers: { authorization } })).status).toBe(200);
    }
    const none = { authorization: "" };
    expect((await ask(server, `/api?token=${server.token}`, { headers: none })).status).toBe(200);
    const page = await ask(server, `/tree/notebooks?a=1&token=${server.token}`, { headers: none });
    expect(page.status).toBe(302);
    expect(page.headers.location).toBe("/tree/notebooks?a=1");
    expect(page.headers["set-cookie"]?.[0]).toMatch(
      /^clientele-\d+=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(page.headers["set-cookie"]?.[0]).not.toContain(server.token);
    const cookie = cookieOf(page.headers["set-cookie"]);
    expect((await ask(server, "/api", { headers: { ...none, cookie: `other=1; ${cookie}` } })).status).toBe(
      200,
    );
    const bye = await ask(server, "/logout", { headers: { ...none, cookie } });
    expect(bye.headers["set-cookie"]?.[0]).toContain("Max-Age=0");
  });

  it("redirects to this server only", async () => {
    const server = await serve(await workplace());
    const { status, headers } = await ask(server, `//evil.example/tree?token=${server.token}`);
    expect([status, headers.location]).toEqual([404, undefined]);
    expect((await ask(server, `http://evil.example/tree?token=${server.token}`)).status).toBe(400);
  });

  it("compares secrets of any length", () => {
    expect(sameSecret("abc", "abc")).toBe(true);
    expect(sameSecret("abc", "abd")).toBe(false);
    expect(sameSecret("abc", "abcd")).toBe(false);
    expect(sameSecret("", "abc")).toBe(false);
  });

  it("gives every server a long random token and a cookie of its own", async () => {
    const place = await workplace();
    const [first, second] = [await serve(place), await serve(place)];
    expect(first.token).toMatch(/^[0-9a-f]{64}$/);
    expect(first.token).not.toBe(second.token);
    const cookies = `${await login(first)}; ${await login(second)}`;
    for (const server of [first, second]) {
      expect((await ask(server, "/api", { headers: { authorization: "", cookie: cookies } })).status).toBe(
        200,
      );
    }
    const crossed = (await login(first)).replace(first.port.toString(), second.port.toString());
    expect((await ask(second, "/api", { headers: { authorization: "", cookie: crossed } })).status).toBe(403);
  });

  it("listens on the loopback address alone", async () => {
    const server = await serve(await workplace());
    const reached = await new Promise((resolve) => {
      const socket = connect(server.port, "127.0.0.2");
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => {
        resolve(false);
      });
    });
    expect(reached).toBe(false);
  });
});

describe("pages of other origins", () => {
  it("cannot use a foreign host name (DNS rebinding)", async () => {
    const server = await serve(await workplace());
    const port = server.port.toString();
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:1`,
      `localhost.evil.example:${port}`,
    ]) {
      expect([host, (await ask(server, "/api", { headers: { host } })).status]).toEqual([host, 403]);
      expect(await handshake(server, `/api/events/subscribe?token=${server.token}`, { host })).toBe(403);
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect([host, (await ask(server, "/api", { headers: { host } })).status]).toEqual([host, 200]);
    }
  });

  it("cannot change anything, even with the user's cookie", async () => {
    const place = await workplace();
    const server = await serve(place);
    const cookie = await login(server);
    const own = `http://127.0.0.1:${server.port.toString()}`;
    const create = async (headers: Record<string, string>): Promise<number> =>
      (await ask(server, "/api/contents", { method: "POST", body: { type: "file" }, headers })).status;
    const foreign = [
      "http://evil.example",
      "null",
      "http://127.0.0.1:1",
      own.replace("http:", "https:"),
      `${own}.evil.example`,
    ];
    for (const origin of foreign) {
      expect([origin, await create({ authorization: "", cookie, origin })]).toEqual([origin, 403]);
      expect([origin, await create({ origin })]).toEqual([origin, 403]);
    }
    for (const site of ["cross-site", "same-site"]) {
      expect(await create({ authorization: "", cookie, "sec-fetch-site": site })).toBe(403);
    }
    expect(await readdir(place.root)).toEqual(["notebooks"]);
    expect(await create({ authorization: "", cookie, origin: own })).toBe(201);
    expect(await create({ authorization: "", cookie })).toBe(201); // not a browser
  });

  it("cannot read anything either", async () => {
    const server = await serve(await workplace());
    const cookie = await login(server);
    for (const site of ["cross-site", "same-site"]) {
      const headers = { authorization: "", cookie, "sec-fetch-site": site };
      expect((await ask(server, "/api/contents", { headers })).status).toBe(403);
    }
    const { headers } = await ask(server, "/api/contents", { headers: { "sec-fetch-site": "same-origin" } });
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("cannot open a websocket", async () => {
    const server = await serve(await workplace());
    const cookie = await login(server);
    const origin = `http://127.0.0.1:${server.port.toString()}`;
    const path = "/api/events/subscribe";
    expect(await handshake(server, path, { cookie, origin: "http://evil.example" })).toBe(403);
    expect(await handshake(server, path, { cookie, origin: "null" })).toBe(403);
    expect(await handshake(server, path, { origin })).toBe(403);
    expect(await handshake(server, "/api/kernels/none/channels", { cookie, origin })).toBe(404);
    expect(await handshake(server, "/api/other", { cookie, origin })).toBe(404);
    expect(await handshake(server, path, { cookie, origin })).toBe("open");
    expect(await handshake(server, path, { authorization: `token ${server.token}` })).toBe("open");
  });
});

describe("paths", () => {
  const escapes = [
    "..",
    "../outside.txt",
    "notebooks/../../outside.txt",
    "%2e%2e/outside.txt",
    "%2e%2e%2foutside.txt",
    "..%2foutside.txt",
    "%252e%252e/outside.txt",
    "%252e%252e%252foutside.txt",
    "..%5coutside.txt",
    "notebooks/%00/../../outside.txt",
    "a%00.txt",
    "%E0%A4%A.txt",
    "neighbour/outside.txt",
    "link/outside.txt",
    "link/new.txt",
    "linkfile",
    "dangling",
    "loop",
  ];

  it("do not lead out of the folder, however they are written", async () => {
    const place = await workplace();
    await writeFile(join(place.folder, "outside.txt"), "secret");
    await mkdir(`${place.root}2`);
    await writeFile(join(`${place.root}2`, "outside.txt"), "secret"); // a name that begins as the root's does
    await symlink("../root2", join(place.root, "neighbour"));
    await symlink(place.folder, join(place.root, "link"));
    await symlink("../outside.txt", join(place.root, "linkfile"));
    await symlink(join(place.folder, "made.txt"), join(place.root, "dangling"));
    await symlink("loop", join(place.root, "loop"));
    const server = await serve(place);
    for (const path of escapes) {
      for (const prefix of ["/api/contents/", "/files/"]) {
        const { status, text } = await ask(server, prefix + path);
        expect([path, [400, 403, 404].includes(status)]).toEqual([path, true]);
        expect(text).not.toContain("secret");
      }
      const body = { type: "file", format: "text", content: "changed" };
      const { status } = await ask(server, `/api/contents/${path}`, { method: "PUT", body });
      const inside = path.startsWith("%252e") || path === "..%5coutside.txt"; // odd, but ordinary names on this system
      expect([path, inside || [400, 403, 404].includes(status)]).toEqual([path, true]);
      const checkpoint = await ask(server, `/api/contents/${path}/checkpoints`, { method: "POST" });
      expect([path, inside || checkpoint.status >= 400]).toEqual([path, true]);
      for (const copy_from of [path, decodeURIComponentOr(path)]) {
        const copied = await ask(server, "/api/contents/notebooks", { method: "POST", body: { copy_from } });
        expect([path, copied.text.includes("secret")]).toEqual([path, false]);
      }
    }
    expect(await readFile(join(place.folder, "outside.txt"), "utf8")).toBe("secret");
    expect((await readdir(place.folder)).sort()).toEqual(["outside.txt", "root", "root2", "state", "ui"]);
    const copied = await readdir(join(place.root, "notebooks"));
    for (const name of copied)
      expect(await readFile(join(place.root, "notebooks", name), "utf8")).not.toContain("secret");
  });

  it("in request bodies are held to the same", async () => {
    const place = await workplace();
    await writeFile(join(place.folder, "outside.txt"), "secret");
    await writeFile(join(place.root, "a.txt"), "");
    const server = await serve(place);
    const rename = await ask(server, "/api/contents/a.txt", { method: "PATCH", body: { path: "../b.txt" } });
    expect(rename.status).toBe(403);
    const copy = await ask(server, "/api/contents", {
      method: "POST",
      body: { copy_from: "../outside.txt" },
    });
    expect(copy.status).toBe(403);
    expect((await readdir(place.root)).sort()).toEqual(["a.txt", "notebooks"]);
  });

  it("of the front end do not lead out of it", async () => {
    const place = await workplace();
    await writeFile(join(place.uiDir, "schemas.json"), "{}");
    await mkdir(join(place.uiDir, "themes"));
    await symlink(place.root, join(place.uiDir, "static/link"));
    await writeFile(join(place.root, "a.txt"), "secret");
    const server = await serve(place);
    for (const path of [
      "/static/../schemas.json",
      "/static/%2e%2e/schemas.json",
      "/static/link/a.txt",
      "/lab/api/themes/..%2fschemas.json",
    ]) {
      const { status, text } = await ask(server, path);
      expect([path, status === 403 || status === 404]).toEqual([path, true]);
      expect(text).not.toBe("{}");
    }
  });
});

function decodeURIComponentOr(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

describe("large and malformed requests", () => {
  /** Sends a request head and then `chunk` until the server has answered; gives the status line and the bytes sent. */
  function stream(
    server: LabServer,
    head: string[],
    chunk: Buffer,
    most: number,
  ): Promise<{ line: string; sent: number }> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let answer = "";
      const socket = connect(server.port, "127.0.0.1", () => {
        const common = [`Host: 127.0.0.1:${server.port.toString()}`, `Authorization: token ${server.token}`];
        socket.write(`${[...head, ...common].join("\r\n")}\r\n\r\n`);
        const more = (): void => {
          while (answer === "" && sent < most && !socket.destroyed) {
            sent += chunk.length;
            if (!socket.write(chunk)) {
              socket.once("drain", more);
              return;
            }
          }
        };
        more();
      });
      socket.on("data", (data) => {
        answer += data.toString();
        socket.destroy();
      });
      socket.on("close", () => {
        if (answer === "") reject(new Error(`no answer after ${sent.toString()} bytes`));
        else resolve({ line: answer.split("\r\n")[0] ?? "", sent });
      });
      socket.on("error", () => undefined);
    });
  }

  it("refuses a body of 1 GB by its announced length, before it comes", async () => {
    const server = await serve(await workplace());
    const head = ["PUT /api/contents/a.txt HTTP/1.1", "Content-Length: 1000000000"];
    const { line, sent } = await stream(server, head, Buffer.alloc(1000), 1000);
    expect(line).toBe("HTTP/1.1 413 Payload Too Large");
    expect(sent).toBeLessThanOrEqual(1000);
    const expecting = await stream(server, [...head, "Expect: 100-continue"], Buffer.alloc(0), 0);
    expect(expecting.line).toBe("HTTP/1.1 413 Payload Too Large");
  });

  it("refuses an endless body of unknown length at the limit, without keeping it", async () => {
    const place = await workplace();
    const server = await serve(place, { limits: { bodyBytes: 1e6 } });
    const line = Buffer.from(`10000\r\n${"x".repeat(0x10000)}\r\n`);
    const head = ["PUT /api/contents/a.txt HTTP/1.1", "Transfer-Encoding: chunked"];
    const answer = await stream(server, head, line, 1e9);
    expect(answer.line).toBe("HTTP/1.1 413 Payload Too Large");
    expect(answer.sent).toBeLessThan(50e6);
    expect(await readdir(place.root)).toEqual(["notebooks"]);
    expect((await ask(server, "/api")).status).toBe(200);
  });

  it("answers unknown places, wrong methods and HEAD in the usual way", async () => {
    const server = await serve(await workplace());
    expect((await ask(server, "/api/nothing")).status).toBe(404);
    expect((await ask(server, "/api/kernels/none")).status).toBe(404);
    expect((await ask(server, "/api/kernelspecs", { method: "DELETE" })).status).toBe(405);
    const head = await ask(server, "/api/contents", { method: "HEAD" });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  it("survives nonsense on the wire", async () => {
    const server = await serve(await workplace());
    await new Promise((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () => socket.end("\0\x01 nonsense\r\n\r\n"));
      socket.on("error", () => undefined);
      socket.on("close", resolve);
      socket.resume();
    });
    expect((await ask(server, "/api")).status).toBe(200);
  });
});

describe("what leaves the server", () => {
  it("has security headers on every kind of answer", async () => {
    const place = await workplace();
    await writeFile(join(place.root, "a.html"), "<script>alert(1)</script>");
    await writeFile(join(place.root, "a.pdf"), "%PDF");
    const server = await serve(place);
    for (const path of [
      "/tree",
      "/notebooks/a.ipynb",
      "/edit/a",
      "/files/a.html",
      "/api/contents",
      "/nothing",
      "/static/favicons/x.ico",
    ]) {
      const { headers } = await ask(server, path);
      expect([path, headers["x-content-type-options"], headers["referrer-policy"]]).toEqual([
        path,
        "nosniff",
        "no-referrer",
      ]);
      expect([path, headers["content-security-policy"]]).toEqual([
        path,
        expect.stringContaining("frame-ancestors"),
      ]);
    }
    const page = String((await ask(server, "/tree")).headers["content-security-policy"]);
    expect(page).toContain("frame-ancestors 'none'");
    expect(page).toContain(`connect-src 'self' ws://127.0.0.1:${server.port.toString()} data: blob:`);
    expect(page).not.toMatch(/https?:|\*/);
    const file = await ask(server, "/files/a.html");
    expect(file.headers["content-security-policy"]).toMatch(/^sandbox;/);
    expect((await ask(server, "/files/a.html?download=1")).headers["content-disposition"]).toBe(
      "attachment; filename*=UTF-8''a.html",
    );
  });

  it("does not hold the token: not the page, not the log", async () => {
    const place = await workplace();
    const server = await serve(place, {
      parts: { startKernel: () => Promise.reject(new Error("no kernel")) },
    });
    await ask(server, `/nothing?token=${server.token}`, { headers: { authorization: "" } });
    await ask(server, `/api/kernels?token=${server.token}`, { method: "POST" });
    await handshake(server, `/api/nothing?token=${server.token}`, {});
    const page = await ask(server, "/tree");
    expect(page.text).toContain('"appName":"Clientele"');
    expect(page.text).not.toContain(server.token);
    expect(place.lines.join("\n")).toContain("no kernel");
    expect(place.lines.join("\n")).not.toContain(server.token);
  });

  it("cannot break out of the page's configuration", async () => {
    const place = await workplace();
    await mkdir(join(place.root, "</script><b>"), { recursive: true });
    const server = await serve(place);
    const { text, status } = await ask(
      server,
      `/tree/${encodeURIComponent("</script><b>").replace("%2F", "/")}`,
    );
    expect(status).toBe(200);
    expect(text).not.toContain("</script><b>");
  });
});

describe("guard", () => {
  it("knows its cookie by port and token", () => {
    const guard = new Guard("secret", 1234);
    const cookie = cookieOf([guard.loginCookie()]);
    const query = new URLSearchParams();
    expect(guard.credential({ cookie }, query)).toBe("cookie");
    expect(new Guard("other", 1234).credential({ cookie }, query)).toBeUndefined();
    expect(new Guard("secret", 1235).credential({ cookie }, query)).toBeUndefined();
    expect(guard.credential({ cookie, authorization: "Bearer secret" }, query)).toBe("token");
  });
});
