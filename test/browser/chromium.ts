import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
// A new profile would look for updates and Google's services: nothing here may leave the machine.
const QUIET = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The Chromium of this machine, if there is one. */
export const CHROMIUM = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** Why the browser tests are left out where they are. */
export const NO_CHROMIUM = "left out: no Chromium on this machine";

/** Starts headless Chromium. */
export async function launchChromium(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", ...QUIET] });
}

/** Gathers what must not happen on a page: console errors, failed requests, requests to anywhere else. */
export function watchPage(page: Page, ownHosts: readonly string[]): string[] {
  const troubles: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`console: ${message.text().slice(0, 300)}`);
  });
  page.on("pageerror", (error) => troubles.push(`page error: ${error.message.slice(0, 300)}`));
  page.on("response", (response) => {
    if (response.status() >= 400)
      troubles.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (["http:", "https:", "ws:", "wss:"].includes(protocol) && !ownHosts.includes(host)) {
      troubles.push(`request to ${request.url()}`);
    }
  });
  return troubles;
}
