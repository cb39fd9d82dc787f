import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseNotebook } from "../../src/lab/notebook/format.js";
import { type LabServer, startServer } from "../../src/lab/server/server.js";
import { ensureUi } from "../../src/lab/ui-build.js";
import { CHROMIUM, launchChromium, NO_CHROMIUM, watchPage } from "./chromium.js";

const project = join(import.meta.dirname, "../..");
const pictures = join(project, "coverage/browser");
const study = readdirSync(join(project, "notebooks")).find((name) => name.startsWith("01-")) ?? "";
const FIGURE = "application/vnd.plotly.v1+json";
const WAIT = { timeout: 60_000 };

interface PageOutput {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
interface PageCell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly execution_count?: number | null;
  readonly outputs?: readonly PageOutput[];
}
/** What the front end offers a page's script, as far as it is used here. */
interface JupyterPage {
  readonly jupyterapp: {
    readonly commands: { execute(id: string, args?: object): unknown };
    readonly shell: {
      readonly currentWidget: { readonly context: { readonly model: { toJSON(): { cells: PageCell[] } } } };
    };
  };
}

/** Starts a command of the front end; what it waits for (a dialog, say) is not waited for here. */
const command = (page: Page, id: string, args: object = {}): Promise<void> =>
  page.evaluate(
    ([name, given]) => {
      void (globalThis as unknown as JupyterPage).jupyterapp.commands.execute(name, given);
    },
    [id, args] as const,
  );

/** Runs in the page: whether every code cell is executed, or none is. Cells out of sight are not drawn; the model knows them all. */
function allCells(executed: boolean): boolean {
  const { model } = (globalThis as unknown as JupyterPage).jupyterapp.shell.currentWidget.context;
  const code = model.toJSON().cells.filter((cell) => cell.cell_type === "code" && cell.source.length > 0);
  return code.length > 0 && code.every((cell) => (cell.execution_count !== null) === executed);
}

/** Waits until the kernel of the open notebook is idle. */
const kernelIdle = (page: Page): Promise<unknown> =>
  page.waitForSelector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', { ...WAIT, state: "attached" });

if (CHROMIUM === undefined) console.log(`browser tests ${NO_CHROMIUM}`);

describe.skipIf(CHROMIUM === undefined)("notebook environment in Chromium", { timeout: 180_000 }, () => {
  let root: string;
  let server: LabServer;
  let browser: Browser;
  let page: Page;
  let troubles: string[];
  const shot = (name: string): Promise<unknown> => page.screenshot({ path: join(pictures, `${name}.png`) });
  const url = (path: string): string => {
    const address = new URL(server.url);
    address.pathname = path;
    return address.href;
  };

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    root = mkdtempSync(join(tmpdir(), "clientele-browser-"));
    for (const folder of ["notebooks", "data"])
      cpSync(join(project, folder), join(root, folder), { recursive: true });
    const uiDir = await ensureUi({ typeCheck: true });
    server = await startServer({
      root,
      uiDir,
      port: 0,
      stateDir: join(root, ".state"),
      settingsDir: join(root, ".settings"),
    });
    browser = await launchChromium();
    page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
    troubles = watchPage(page, [`127.0.0.1:${server.port}`]);
  }, 400_000);

  afterAll(async () => {
    await browser.close();
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  it("shows the folder", async () => {
    await page.goto(url("/tree/notebooks"));
    await page.waitForSelector(`.jp-DirListing-item:has-text("${study}")`, WAIT);
    await shot("tree");
    expect(await page.title()).toContain("Clientele");
    expect(page.url()).not.toContain("token");
  });

  it("opens the study and runs all of it: figures and tables appear, no cell fails", async () => {
    await page.goto(url(`/notebooks/notebooks/${study}`));
    await page.waitForSelector(".jp-Notebook .jp-CodeCell .cm-content", WAIT);
    await kernelIdle(page);
    await shot("study-opened");
    // The stored notebook is executed already: cleared first, so that what is seen is what ran here.
    await command(page, "notebook:clear-all-cell-outputs");
    await page.waitForFunction(allCells, false, WAIT);
    await command(page, "notebook:restart-run-all");
    await page.locator(".jp-Dialog .jp-mod-accept").click(WAIT);
    await page.waitForFunction(allCells, true, WAIT);
    await kernelIdle(page);
    const outputs = await page.evaluate(() =>
      (globalThis as unknown as JupyterPage).jupyterapp.shell.currentWidget.context.model
        .toJSON()
        .cells.flatMap((cell) => cell.outputs ?? []),
    );
    expect(outputs.filter((output) => output.output_type === "error")).toEqual([]);
    expect(outputs.filter((output) => FIGURE in (output.data ?? {})).length).toBeGreaterThanOrEqual(5);
    await page.locator(".js-plotly-plot .main-svg").first().waitFor(WAIT);
    await page.locator(".js-plotly-plot").first().scrollIntoViewIfNeeded();
    await shot("study-figure");
    expect(await page.locator(".jp-RenderedHTMLCommon table").count()).toBeGreaterThan(0);
  });

  it("completes a name, shows its type, interrupts a loop, saves and reopens", async () => {
    await command(page, "notebook:insert-cell-below");
    await page.keyboard.press("Enter");
    await page.keyboard.type("const amounts = [1, 2];\namounts.fil", { delay: 20 });
    await page.keyboard.press("Tab");
    await page.locator(".jp-Completer-item", { hasText: "fill" }).first().waitFor(WAIT);
    await shot("completion");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("while (true) {}");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector('.jp-Notebook-ExecutionIndicator[data-status="busy"]', {
      ...WAIT,
      state: "attached",
    });
    await command(page, "notebook:interrupt-kernel");
    await page
      .locator(".jp-OutputArea-output", { hasText: "the cell was interrupted" })
      .first()
      .waitFor(WAIT);
    await kernelIdle(page);
    await shot("interrupted");
    await command(page, "docmanager:save");
    const file = join(root, "notebooks", study);
    await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).toContain("while (true) {}");
    const saved = parseNotebook(readFileSync(file, "utf8"), study);
    expect(saved.metadata["kernelspec"]).toMatchObject({ name: "tslab" });
    await command(page, "notebook:restart-kernel");
    await page.locator(".jp-Dialog .jp-mod-accept").click(WAIT);
    await kernelIdle(page);
    await page.reload();
    await page.waitForSelector(".jp-Notebook .jp-CodeCell .cm-content", WAIT);
    await page
      .locator(".js-plotly-plot .main-svg")
      .first()
      .waitFor({ ...WAIT, state: "attached" });
    await shot("reopened");
  });

  it("changes to the dark theme", async () => {
    await command(page, "apputils:change-theme", { theme: "JupyterLab Dark" });
    await page.waitForSelector('body[data-jp-theme-light="false"]', { ...WAIT, state: "attached" });
    await page.locator(".js-plotly-plot").first().scrollIntoViewIfNeeded();
    await shot("dark");
  });

  it("had no error in the console and asked nobody else", () => {
    expect(troubles).toEqual([]);
  });
});
