import { readFileSync } from "node:fs";

/** Name of the application as the front end shows it. */
const APP_NAME = "Clientele";
/** Version of Jupyter Notebook's front end whose behaviour the pages ask for. */
const FRONT_END_VERSION = "7.6.2";
const MANIFEST = new URL("../../../package.json", import.meta.url);
const { version: VERSION } = JSON.parse(readFileSync(MANIFEST, "utf8")) as { version: string };

/** The pages of the front end. */
export type PageName = "tree" | "notebooks" | "edit";

/** Options the front end reads from the page; all of them texts. The token is not among them: the cookie does. */
function pageConfig(page: PageName, path: string): Record<string, string> {
  return {
    appName: APP_NAME,
    appNamespace: "notebook",
    appUrl: "/lab",
    appVersion: VERSION,
    notebookVersion: JSON.stringify(FRONT_END_VERSION.split(".").map(Number)),
    baseUrl: "/",
    wsUrl: "",
    token: "",
    frontendUrl: "/",
    fullAppUrl: "/lab",
    fullStaticUrl: "/static",
    treeUrl: "/lab/tree",
    fullTreeUrl: "/lab/tree",
    labextensionsUrl: "/lab/extensions",
    fullLabextensionsUrl: "/lab/extensions",
    settingsUrl: "/lab/api/settings",
    fullSettingsUrl: "/lab/api/settings",
    themesUrl: "/lab/api/themes",
    fullThemesUrl: "/lab/api/themes",
    translationsApiUrl: "/lab/api/translations",
    fullTranslationsApiUrl: "/lab/api/translations",
    workspacesApiUrl: "/lab/api/workspaces",
    fullWorkspacesApiUrl: "/lab/api/workspaces",
    listingsUrl: "/lab/api/listings",
    fullListingsUrl: "/lab/api/listings",
    licensesUrl: "",
    mathjaxUrl: "",
    fullMathjaxUrl: "",
    notebookPage: page,
    treePath: page === "tree" ? path : "",
    preferredPath: "/",
    federated_extensions: "[]",
    disabledExtensions: "[]",
    exposeAppInBrowser: "true",
    terminalsAvailable: "false",
    quitButton: "true",
    delete_to_trash: "false",
    allow_hidden_files: "false",
    cacheFiles: "false",
    devMode: "false",
    store_id: "0",
    news: "{}",
  };
}

/** A page of the front end; `path` is the folder or file it shows. */
export function labPage(page: PageName, path: string): string {
  const config = JSON.stringify(pageConfig(page, path)).replace(/</g, "\\u003c");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${APP_NAME}</title>
<link rel="icon" type="image/svg+xml" href="/static/favicons/favicon.ico" class="idle favicon">
<link rel="" type="image/svg+xml" href="/static/favicons/favicon-busy-1.ico" class="busy favicon">
<link rel="stylesheet" href="/static/main.css">
</head>
<body class="jp-ThemedContainer" data-notebook="${page}">
<script id="jupyter-config-data" type="application/json">${config}</script>
<script type="module" src="/static/main.js"></script>
</body>
</html>
`;
}

/** The page for a browser that is not logged in. */
export function loginPage(wrongToken: boolean): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${APP_NAME}: token needed</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem; margin: .5rem 0 }
button { font: inherit; padding: .4rem 1rem }
</style>
</head>
<body>
<h1>${APP_NAME}</h1>
<p>${wrongToken ? "<strong>This is not the token of this server.</strong> " : ""}Open the address that the terminal
printed when the server started. It ends in <code>?token=…</code>; you can also paste that token here.</p>
<form method="get">
<label>Token <input name="token" type="password" autocomplete="off" required autofocus></label>
<button>Log in</button>
</form>
</body>
</html>
`;
}

/** The page after the server was told to stop, or the browser to forget its login. */
export function messagePage(text: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${APP_NAME}</title><link rel="icon" href="data:,"></head>
<body><p>${text}</p></body>
</html>
`;
}

/**
 * Content security policy of the front end's pages: everything from this server, nothing from elsewhere. Schema
 * validation and Plotly need eval, trusted outputs may hold inline scripts.
 */
export function pagePolicy(host: string): string {
  return [
    "default-src 'self'",
    "script-src 'self' 'unsafe-eval' 'unsafe-inline'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "frame-src 'self' data: blob:",
    "object-src 'self' data: blob:",
    `connect-src 'self' ws://${host} data: blob:`,
    "form-action 'self'",
    "base-uri 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Content security policy of pages without scripts. */
export const PLAIN_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const FAVICON_COLOURS: Readonly<Record<string, string>> = {
  busy: "#e8811a",
  notebook: "#2b6cb0",
  file: "#718096",
};

/** Our icon in the colour that the name asks for: `favicon-busy-1.ico` is orange. */
export function favicon(name: string): string {
  const kind = Object.keys(FAVICON_COLOURS).find((key) => name.includes(key));
  const colour = FAVICON_COLOURS[kind ?? "notebook"] ?? "";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${colour}"/><path d="M10.8 5.6a3.4 3.4 0 1 0 0 4.8" fill="none" stroke="#fff" stroke-width="1.8"/></svg>`;
}
