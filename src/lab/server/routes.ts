import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { kernelSpec } from "../kernel/kernelspec.js";
import type { Contents, GetOptions } from "./contents.js";
import {
  empty,
  errorCode,
  fileError,
  HttpError,
  json,
  type LabRequest,
  type Reply,
  redirect,
} from "./http.js";
import type { KernelManager } from "./kernels.js";
import { favicon, labPage, messagePage, type PageName, PLAIN_POLICY, pagePolicy } from "./page.js";
import { isHidden, normalisePath, type Root } from "./paths.js";
import { Router } from "./router.js";
import { KERNEL_NAME, requireKernelName, type Sessions } from "./sessions.js";
import type { Settings } from "./settings.js";
import { staticFile, userFile } from "./static.js";
import { Workspaces } from "./workspaces.js";

/** Version of Jupyter Server whose interface this is. */
const API_VERSION = "2.17.0";

/** What the routes work with. */
export interface Services {
  readonly root: Root;
  readonly uiDir: string;
  readonly contents: Contents;
  readonly kernels: KernelManager;
  readonly sessions: Sessions;
  readonly settings: Settings;
  /** Working folder for the notebook at this API path. */
  readonly folderOf: (path: string) => Promise<string>;
  /** `Set-Cookie` header that logs the browser out. */
  readonly logoutCookie: () => string;
  /** Ends the server soon, after the answer is out. */
  readonly shutdown: () => void;
}

/** Every address of the server, in groups. */
export function createRouter(services: Services): Router {
  const router = new Router();
  addPages(router, services);
  addContents(router, services);
  addKernels(router, services);
  addSessions(router, services);
  addFrontEnd(router, services);
  addStatus(router, services);
  return router;
}

const html = (body: string, policy: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  headers: {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": policy,
    "Cross-Origin-Opener-Policy": "same-origin",
    ...headers,
  },
  body,
});

/** A page of HTML for a browser, an answer without scripts. */
export const plainPage = (body: string, headers: Readonly<Record<string, string>> = {}): Reply =>
  html(body, PLAIN_POLICY, headers);

const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

function addPages(router: Router, { root, uiDir, logoutCookie }: Services): void {
  const page = (name: PageName, request: LabRequest): Reply =>
    html(labPage(name, normalisePath(request.param("path"))), pagePolicy(request.headers.host ?? ""));

  /** What is at a path, for sending the browser to the page that shows it. */
  const kindAt = async (path: string): Promise<"folder" | "file" | "nothing"> => {
    try {
      return (await stat(await root.resolve(path))).isDirectory() ? "folder" : "file";
    } catch (error) {
      if (errorCode(error) !== undefined) return "nothing";
      throw error;
    }
  };

  router
    .add("GET", "/", () => redirect("/tree"))
    .add("GET", "/tree*path", async (request) => {
      const path = normalisePath(request.param("path"));
      const kind = await kindAt(path);
      if (kind === "nothing" || isHidden(path)) throw new HttpError(404, `folder does not exist: ${path}`);
      if (kind === "folder") return page("tree", request);
      return redirect(`/${path.endsWith(".ipynb") ? "notebooks" : "edit"}/${encodePath(path)}`);
    })
    .add("GET", "/notebooks*path", async (request) => {
      const path = normalisePath(request.param("path"));
      return (await kindAt(path)) === "folder"
        ? redirect(`/tree/${encodePath(path)}`)
        : page("notebooks", request);
    })
    .add("GET", "/edit*path", (request) => page("edit", request))
    .add("GET", "/files*path", async (request) => {
      const path = normalisePath(request.param("path"));
      if (isHidden(path)) throw new HttpError(404, `file does not exist: ${path}`);
      try {
        const download = request.query.has("download") && request.query.get("download") !== "0";
        return await userFile(await root.resolve(path), basename(path), download);
      } catch (error) {
        throw fileError(error, path);
      }
    })
    .add("GET", "/static/favicons/:name", (request) => icon(request.param("name")))
    .add("GET", "/favicon.ico", () => icon("favicon.ico"))
    .add("GET", "/static*path", (request) =>
      staticFile(join(uiDir, "static"), request.param("path"), request),
    )
    .add("GET", "/logout", () =>
      plainPage(messagePage("You are logged out. The address that the terminal printed logs you in again."), {
        "Set-Cookie": logoutCookie(),
      }),
    );
}

const icon = (name: string): Reply => ({
  status: 200,
  headers: { "Content-Type": "image/svg+xml", "Cache-Control": "private, max-age=86400" },
  body: favicon(name),
});

function addContents(router: Router, { contents }: Services): void {
  const path = (request: LabRequest): string => request.param("path");
  router
    .add("GET", "/api/contents*path/checkpoints", async (request) =>
      json(await contents.listCheckpoints(path(request))),
    )
    .add("POST", "/api/contents*path/checkpoints", async (request) =>
      json(await contents.createCheckpoint(path(request)), 201),
    )
    .add("POST", "/api/contents*path/checkpoints/:id", async (request) => {
      await contents.restoreCheckpoint(path(request), request.param("id"));
      return empty();
    })
    .add("DELETE", "/api/contents*path/checkpoints/:id", async (request) => {
      await contents.deleteCheckpoint(path(request));
      return empty();
    })
    .add("POST", "/api/contents*path/trust", async (request) => {
      await contents.trust(path(request));
      return empty(201);
    })
    .add("GET", "/api/contents*path", async (request) =>
      json(await contents.get(path(request), getOptions(request))),
    )
    .add("PUT", "/api/contents*path", async (request) => {
      const { model, created } = await contents.save(path(request), await request.json());
      return json(model, created ? 201 : 200, { Location: `/api/contents/${encodePath(model.path)}` });
    })
    .add("POST", "/api/contents*path", async (request) => {
      const body = await request.json();
      const model =
        typeof body["copy_from"] === "string"
          ? await contents.copy(body["copy_from"], path(request))
          : await contents.createUntitled(path(request), textOr(body["type"], ""), textOr(body["ext"], ""));
      return json(model, 201, { Location: `/api/contents/${encodePath(model.path)}` });
    })
    .add("PATCH", "/api/contents*path", async (request) => {
      const { path: target } = await request.json();
      if (typeof target !== "string") throw new HttpError(400, 'renaming needs the new "path"');
      return json(await contents.rename(path(request), target));
    })
    .add("DELETE", "/api/contents*path", async (request) => {
      await contents.delete(path(request));
      return empty();
    });
}

const textOr = (value: unknown, fallback: string): string =>
  typeof value === "string" && value !== "" ? value : fallback;

function getOptions(request: LabRequest): GetOptions {
  const type = request.query.get("type");
  const format = request.query.get("format");
  if (format !== null && format !== "" && format !== "text" && format !== "base64" && format !== "json") {
    throw new HttpError(400, `format must be text or base64, got ${format}`);
  }
  return {
    content: flag(request, "content", true),
    hash: flag(request, "hash", false),
    // Jupyter reads an unknown type as "file".
    ...(type !== null &&
      type !== "" && { type: type === "directory" || type === "notebook" ? type : "file" }),
    ...((format === "text" || format === "base64") && { format }),
  };
}

function flag(request: LabRequest, name: string, fallback: boolean): boolean {
  const value = request.query.get(name) ?? (fallback ? "1" : "0");
  if (value !== "0" && value !== "1") throw new HttpError(400, `${name} must be 0 or 1, got ${value}`);
  return value === "1";
}

const KERNEL_SPEC = { name: KERNEL_NAME, spec: kernelSpec(), resources: {} };

function addKernels(router: Router, { kernels, folderOf }: Services): void {
  router
    .add("GET", "/api/kernelspecs", () =>
      json({ default: KERNEL_NAME, kernelspecs: { [KERNEL_NAME]: KERNEL_SPEC } }),
    )
    .add("GET", "/api/kernelspecs/:name", (request) => {
      if (request.param("name") !== KERNEL_NAME)
        throw new HttpError(404, `there is no kernel ${request.param("name")}`);
      return json(KERNEL_SPEC);
    })
    .add("GET", "/api/kernels", () => json(kernels.list().map((kernel) => kernel.model())))
    .add("POST", "/api/kernels", async (request) => {
      const body = await request.json();
      const name = requireKernelName(body["name"]);
      const kernel = kernels.create(name, await folderOf(textOr(body["path"], "")));
      return json(kernel.model(), 201, { Location: `/api/kernels/${kernel.id}` });
    })
    .add("GET", "/api/kernels/:id", (request) => json(kernels.get(request.param("id")).model()))
    .add("DELETE", "/api/kernels/:id", async (request) => {
      await kernels.remove(request.param("id"));
      return empty();
    })
    .add("POST", "/api/kernels/:id/interrupt", (request) => {
      kernels.get(request.param("id")).interrupt();
      return empty();
    })
    .add("POST", "/api/kernels/:id/restart", async (request) => {
      const kernel = kernels.get(request.param("id"));
      await kernel.restart();
      return json(kernel.model());
    });
}

function addSessions(router: Router, { sessions }: Services): void {
  router
    .add("GET", "/api/sessions", () => json(sessions.list()))
    .add("POST", "/api/sessions", async (request) => {
      const session = await sessions.create(await request.json());
      return json(session, 201, { Location: `/api/sessions/${session.id}` });
    })
    .add("GET", "/api/sessions/:id", (request) => json(sessions.get(request.param("id"))))
    .add("PATCH", "/api/sessions/:id", async (request) =>
      json(await sessions.update(request.param("id"), await request.json())),
    )
    .add("DELETE", "/api/sessions/:id", async (request) => {
      await sessions.delete(request.param("id"));
      return empty();
    });
}

/** What the front end keeps on the server: settings, themes, layouts. */
function addFrontEnd(router: Router, { settings, uiDir }: Services): void {
  const workspaces = new Workspaces();
  router
    .add("GET", "/lab/api/settings", async (request) => {
      const all = await settings.list();
      return json({ settings: request.query.has("ids_only") ? all.map(({ id }) => ({ id })) : all });
    })
    .add("GET", "/lab/api/settings*id", async (request) => json(await settings.get(request.param("id"))))
    .add("PUT", "/lab/api/settings*id", async (request) => {
      await settings.save(request.param("id"), (await request.json())["raw"]);
      return empty();
    })
    .add("GET", "/lab/api/themes*path", (request) =>
      staticFile(join(uiDir, "themes"), request.param("path"), request),
    )
    .add("GET", "/lab/api/translations", () =>
      json({ data: { en: { displayName: "English", nativeName: "English" } }, message: "" }),
    )
    .add("GET", "/lab/api/translations/:locale", () => json({ data: {}, message: "" }))
    .add("GET", "/lab/api/workspaces", () => json({ workspaces: workspaces.list() }))
    .add("GET", "/lab/api/workspaces*id", (request) => json(workspaces.get(request.param("id"))))
    .add("PUT", "/lab/api/workspaces*id", async (request) => {
      workspaces.save(request.param("id"), await request.json());
      return empty();
    })
    .add("DELETE", "/lab/api/workspaces*id", (request) => {
      workspaces.delete(request.param("id"));
      return empty();
    })
    .add("GET", "/lab/api/listings*path", () => json({ blocked_extensions: [], allowed_extensions: [] }))
    .add("GET", "/api/config/:section", async (request) =>
      json(await settings.section(request.param("section"))),
    )
    .add("PATCH PUT", "/api/config/:section", async (request) =>
      json(await settings.updateSection(request.param("section"), await request.json())),
    );
}

function addStatus(router: Router, { kernels, shutdown }: Services): void {
  const started = new Date().toISOString();
  router
    .add("GET", "/api", () => json({ version: API_VERSION }))
    .add("GET", "/api/status", () => {
      const models = kernels.list().map((kernel) => kernel.model());
      return json({
        started,
        last_activity: [started, ...models.map((model) => model.last_activity)].sort().at(-1),
        kernels: models.length,
        connections: models.map((model) => model.connections).reduce((a, b) => a + b, 0),
      });
    })
    .add("GET", "/api/me", () =>
      json({
        identity: {
          username: "local",
          name: "Local",
          display_name: "Local",
          initials: "L",
          avatar_url: null,
          color: null,
        },
        permissions: {},
      }),
    )
    .add("GET", "/api/terminals", () => json([]))
    .add("GET", "/api/nbconvert", () => json({}))
    .add("POST", "/api/events", () => empty())
    .add("POST", "/api/shutdown", () => {
      shutdown();
      return empty(200);
    });
}
