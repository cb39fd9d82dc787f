/**
 * The frame of every exported page: head, security policy, look.
 * @module
 */
import { createHash } from "node:crypto";
import { escapeMarkup } from "../../core/markup.js";
import { pageStyle } from "./page-style.js";

/** The parts of a page. */
export interface PageParts {
  readonly title: string;
  readonly body: string;
  /** Programs of ours that the page runs; no other script can run on it. */
  readonly scripts?: readonly string[];
}

/**
 * A whole HTML page that fetches nothing: everything is in it, and its policy forbids connections and every script
 * that is not one of `scripts`, byte for byte.
 */
export function page({ title, body, scripts = [] }: PageParts): string {
  const programs = scripts.map(safeScript);
  const hashes = programs.map((code) => `'sha256-${createHash("sha256").update(code).digest("base64")}'`);
  const policy = [
    "default-src 'none'",
    `script-src ${hashes.join(" ") || "'none'"}`,
    "style-src 'unsafe-inline'",
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="clientele">
<title>${escapeMarkup(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
${body}
${programs.map((code) => `<script>${code}</script>`).join("\n")}
</body>
</html>
`;
}

/** The program with nothing in it that ends or hides a script element; inside its texts and patterns it means the same. */
const safeScript = (code: string): string =>
  code.replace(/<(\/script|script|!--)/gi, "\\x3c$1").replace(/\r\n?/g, "\n");
