import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportHtml } from "../../../src/lab/export/html.js";
import { exportIndex, indexEntry } from "../../../src/lab/export/index-page.js";
import { createFigureRenderer } from "../../../src/lab/export/static-svg.js";
import { code, display, notebookOf, studyNotebook, text } from "./study.js";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const phone = { viewport: { width: 390, height: 844 } };
const wide = { viewport: { width: 1280, height: 900 } };

if (!existsSync(executablePath)) {
  it("exported pages in a browser", ({ skip }) => {
    skip(`there is no Chromium at ${executablePath}: set CHROMIUM to its path`);
  });
} else {
  describe("an exported page, opened from the disk", () => {
    let browser: Browser;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "clientele-export-"));
      const renderer = await createFigureRenderer();
      const write = async (name: string, html: string): Promise<void> => writeFile(join(folder, name), html);
      const study = studyNotebook();
      await write(
        "interactive.html",
        await exportHtml(study, { figures: "interactive", code: "folded", renderer }),
      );
      await write("static.html", await exportHtml(study, { figures: "static", code: "folded", renderer }));
      await write("index.html", exportIndex([indexEntry(study, "01-static.html")]));
      const attack =
        "<script>document.title='stolen'</script><img src=x onerror=\"document.title='stolen'\">";
      const hostile = notebookOf(
        text(`# Title\n\n${attack}`),
        code("", [display({ "text/html": attack }), display({ "image/svg+xml": `<svg>${attack}</svg>` })]),
      );
      await write(
        "hostile.html",
        await exportHtml(hostile, { figures: "interactive", code: "folded", renderer }),
      );
      renderer.close();
      browser = await chromium.launch({ executablePath, args });
    });
    afterAll(async () => {
      await browser.close();
      await rm(folder, { recursive: true });
    });

    /** Opens a page; gives it with everything it complained about or asked for. */
    async function open(
      name: string,
      options: BrowserContextOptions,
    ): Promise<{ page: Page; said: string[] }> {
      const page = await browser.newPage(options);
      const said: string[] = [];
      const address = pathToFileURL(join(folder, name)).href;
      page.on("console", (message) => said.push(`console: ${message.text()}`));
      page.on("pageerror", (error) => said.push(`error: ${error.message}`));
      page.on("request", (request) => {
        const url = request.url();
        if (url !== address && !/^(?:data|blob):/.test(url)) said.push(`request: ${url}`);
      });
      await page.goto(address);
      return { page, said };
    }
    const overflow = (page: Page): Promise<number> =>
      page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

    it("draws its figures without network and without a complaint", async () => {
      const { page, said } = await open("interactive.html", wide);
      const figures = page.locator("figure.interactive");
      expect(await figures.count()).toBe(8);
      for (const figure of await figures.all()) {
        await figure.scrollIntoViewIfNeeded();
        await figure.locator(".plot .main-svg").first().waitFor();
      }
      await page.waitForTimeout(200);
      expect(await page.locator("figure .picture:visible").count()).toBe(0);
      expect(said).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await page.close();
    });

    it("prints every figure as a picture, none cut", async () => {
      const { page } = await open("interactive.html", { viewport: { width: 672, height: 960 } });
      await page.emulateMedia({ media: "print" });
      expect(await page.locator("figure .picture:visible").count()).toBe(8);
      expect(await page.locator("figure .plot:visible, details.code:visible, nav:visible").count()).toBe(0);
      const widths = await page
        .locator("figure svg")
        .evaluateAll((pictures) => pictures.map((picture) => picture.getBoundingClientRect().right));
      for (const right of widths.filter((width) => width > 0)) expect(right).toBeLessThanOrEqual(672);
      await page.close();
    });

    it.each([
      ["static.html", phone],
      ["interactive.html", phone],
      ["index.html", phone],
      ["static.html", wide],
      ["static.html", { ...wide, colorScheme: "dark" as const }],
    ])("%s fits a screen of %o", async (name, options) => {
      const { page, said } = await open(name, options);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(said).toEqual([]);
      await page.close();
    });

    it("has text that stands out from its paper in light and dark", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page } = await open("static.html", { ...wide, colorScheme });
        const colours = await page.evaluate(() => {
          const elements = ["body", "nav a", "summary", "caption", ".hljs-keyword", ".outcome"];
          const style = (selector: string): string => {
            const element = document.querySelector(selector);
            return element ? getComputedStyle(element).color : "";
          };
          return { paper: getComputedStyle(document.body).backgroundColor, texts: elements.map(style) };
        });
        for (const text of colours.texts) expect(contrast(text, colours.paper)).toBeGreaterThan(4.5);
        await page.close();
      }
    });

    it("runs nothing a notebook brings along", async () => {
      const { page, said } = await open("hostile.html", wide);
      await page.waitForTimeout(200);
      expect(await page.title()).toBe("Title");
      expect(said).toEqual([]);
      await page.close();
    });
  });
}

/** Contrast of two colours as WCAG 2.1 defines it; 4.5 is enough for running text. */
function contrast(first: string, second: string): number {
  const [light = 0, dark = 0] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+(?:\.\d+)?/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
