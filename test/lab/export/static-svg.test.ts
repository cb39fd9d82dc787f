import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { JSDOM } from "jsdom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFigureRenderer, type FigureRenderer } from "../../../src/lab/export/static-svg.js";
import { figures } from "./figures.js";

let renderer: FigureRenderer;
beforeAll(async () => {
  renderer = await createFigureRenderer();
});
afterAll(() => renderer.close());

const parse = (svg: string): Document => new JSDOM(svg, { contentType: "image/svg+xml" }).window.document;
const textsOf = (svg: string): string[] =>
  Array.from(parse(svg).querySelectorAll("text"), (text) => text.textContent.trim());
const scatter = (
  layout: Record<string, unknown> = {},
  y: unknown = [1, 2, 3],
): Parameters<FigureRenderer["render"]>[0] => ({
  data: [{ type: "scatter", y }],
  layout,
});

describe("a static picture", () => {
  it.each(Object.entries(figures))("of a %s is drawn, small and self-contained", async (_, figure) => {
    const svg = await renderer.render(figure);
    const root = parse(svg).documentElement;
    expect(root.localName).toBe("svg");
    expect(root.getAttribute("viewBox")).toBe("0 0 700 420");
    expect(root.querySelectorAll("path, rect").length).toBeGreaterThan(3);
    expect(root.querySelectorAll("script, foreignObject, a, style, image").length).toBe(0);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|\son\w+=|javascript:|NaN|undefined/,
    );
    expect(svg.length).toBeLessThan(40_000);
  });

  it("shows the title, the axis titles, the tick labels and the legend", async () => {
    const texts = textsOf(await renderer.render(figures["grouped bar"] ?? scatter()));
    expect(texts).toEqual(
      expect.arrayContaining(["Revenue by quarter", "Q1", "Q4", "Web shop", "Stores and call centre"]),
    );
  });

  it("is named by the figure's title for readers who do not see it", async () => {
    const root = parse(
      await renderer.render(scatter({ title: { text: "Spend &amp; <b>margin</b><br>by year" } })),
    );
    expect(root.documentElement.getAttribute("aria-label")).toBe("Spend & margin by year");
    expect(root.documentElement.getAttribute("role")).toBe("img");
  });

  it("takes its size from the call, else from the layout", async () => {
    const layout = { width: 500, height: 300 };
    expect(await renderer.render(scatter(layout))).toContain('viewBox="0 0 500 300"');
    expect(await renderer.render(scatter(layout), { width: 640 })).toContain('viewBox="0 0 640 300"');
  });

  it("stands on white paper", async () => {
    expect(await renderer.render(scatter())).toMatch(/<rect width="700" height="420" fill="#fff"\/>/);
  });

  it("breaks a title that is wider than the picture", async () => {
    const text =
      "The customers who bought most often in the last quarter are not those who bought most in the year";
    const lines = Array.from(
      parse(await renderer.render(scatter({ title: { text } }))).querySelectorAll("tspan"),
    );
    const title = lines
      .map((line) => line.textContent)
      .filter((line) => text.includes(line) && line.length > 9);
    expect(title.length).toBe(2);
    expect(title.join(" ")).toBe(text);
  });

  it("draws each cell of a heat map in its colour, as shapes", async () => {
    const z = [
      [0, 1],
      [2, null],
    ];
    const data = [
      {
        type: "heatmap",
        z,
        colorscale: [
          [0, "#000000"],
          [1, "#ff0000"],
        ],
        showscale: false,
      },
    ];
    const svg = await renderer.render({ data, layout: {} });
    const cells = parse(svg).querySelectorAll('g[shape-rendering="crispEdges"] > path');
    expect(Array.from(cells, (cell) => cell.getAttribute("fill"))).toEqual(
      expect.arrayContaining(["#000", "#800000", "#f00"]),
    );
    expect(cells.length).toBe(3); // the missing value has none
  });

  it("leaves out what would reach outside: links, images from elsewhere", async () => {
    const svg = await renderer.render(
      scatter({
        title: { text: '<a href="https://evil.example/x">Click</a> <a href="javascript:alert(1)">me</a>' },
        images: [{ source: "https://evil.example/pixel.png", x: 0, y: 1, sizex: 1, sizey: 1 }],
        annotations: [{ text: '"/><script>alert(1)</script><img src=x onerror=alert(1)>', x: 1, y: 2 }],
      }),
    );
    expect(parse(svg).querySelectorAll("script, image, img, a, [onerror]").length).toBe(0);
    expect(svg).not.toContain("evil.example");
    expect(textsOf(svg).join(" ")).toContain("Click");
  });

  it.each([
    ["scattergl", /trace 1 is of type scattergl, which needs WebGL or the network: use scatter$/],
    ["surface", /cannot draw a figure of type surface: trace 1 is of type surface/],
  ])("of type %s fails with its type and the reason", async (type, message) => {
    await expect(renderer.render({ data: [{ type, y: [1] }], layout: {} })).rejects.toThrow(message);
  });

  it("of a broken figure fails, and the next figure is drawn all the same", async () => {
    const broken = renderer.render({
      data: [{ type: "sankey", node: { label: 7 }, link: { source: [0], target: [9], value: ["x"] } }],
      layout: {
        get title() {
          throw new Error("no title today");
        },
      },
    });
    await expect(broken).rejects.toThrow("no title today");
    expect(await renderer.render(scatter())).toContain("<svg");
  });
});

describe("the same figure", () => {
  it("gives the same bytes whatever was drawn before", async () => {
    const before = await renderer.render(figures["violin"] ?? scatter());
    await renderer.render(figures["sankey"] ?? scatter());
    expect(await renderer.render(figures["violin"] ?? scatter())).toBe(before);
  });

  it("has ids that no other figure has, and refers to no missing one", async () => {
    const svgs = await Promise.all(
      ["bar", "line"].map((name) => renderer.render(figures[name] ?? scatter())),
    );
    const [bar, line] = svgs.map((svg) => Array.from(svg.matchAll(/\sid="([^"]+)"/g), ([, id]) => id));
    expect(bar?.filter((id) => line?.includes(id))).toEqual([]);
    for (const [index, svg] of svgs.entries()) {
      const used = Array.from(svg.matchAll(/url\(#([^)]+)\)/g), ([, id]) => id);
      expect(used.length).toBeGreaterThan(0);
      for (const id of used) expect([bar, line][index]).toContain(id);
    }
  });

  it("gives the same bytes in two processes, in another order", async ({ skip }) => {
    const module = fileURLToPath(new URL("../../../dist/lab/export/static-svg.js", import.meta.url));
    if (!existsSync(module)) skip("not built: run npm run build");
    const names = ["heat map", "violin", "line", "sankey"];
    const [first, second] = await Promise.all([digest(module, names), digest(module, [...names].reverse())]);
    expect(first).toMatch(/^(?:[0-9a-f]{64}\n){4}$/);
    expect(second).toBe(first);
  });
});

/** Draws figures in a fresh process; gives the SHA-256 of each picture, in order of the figures' names. */
function digest(module: string, names: readonly string[]): Promise<string> {
  const chosen = Object.fromEntries(names.map((name) => [name, figures[name]]));
  const program = `
    import { createHash } from "node:crypto";
    import { createFigureRenderer } from ${JSON.stringify(module)};
    const renderer = await createFigureRenderer();
    const lines = [];
    for (const [name, figure] of Object.entries(${JSON.stringify(chosen)}))
      lines.push([name, createHash("sha256").update(await renderer.render(figure)).digest("hex")]);
    renderer.close();
    for (const [, hash] of lines.sort(([a], [b]) => (a < b ? -1 : 1))) console.log(hash);
  `;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`exit code ${String(code)}`)),
    );
  });
}
