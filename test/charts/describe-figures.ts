import { JSDOM } from "jsdom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Figure } from "../../src/index.js";
import { createFigureRenderer, type FigureRenderer } from "../../src/lab/export/static-svg.js";
import { pageBox } from "../../src/lab/export/svg-boxes.js";

/** Figures by name, with the names of their traces. */
export type Figures = Readonly<
  Record<string, { readonly figure: Figure; readonly traces: readonly string[] }>
>;

/** The title as one line. */
export const titleOf = ({ layout }: Figure): string => layout.title.text.replaceAll("<br>", " ");

/** What holds for every figure; `draw` makes them anew. */
export function describeFigures(draw: () => Figures): void {
  let renderer: FigureRenderer;
  beforeAll(async () => {
    renderer = await createFigureRenderer();
  });
  afterAll(() => renderer.close());

  describe.each(Object.entries(draw()))("%s figure", (name, { figure, traces }) => {
    it("survives JSON unchanged, names its traces, and is the same every time", () => {
      expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
      expect(figure.data.map((trace) => trace.name)).toEqual(traces);
      expect(draw()[name]?.figure).toEqual(figure);
    });

    it("has a title that fits 700 pixels, without a number that is none", () => {
      for (const line of figure.layout.title.text.split("<br>")) expect(line.length).toBeLessThanOrEqual(72);
      expect(figure.layout.title.text).not.toMatch(/NaN|undefined|null|Infinity|^$/);
    });

    it("draws as a static picture with every text inside", async () => {
      const svg = await renderer.render(figure);
      const root = new JSDOM(svg, { contentType: "image/svg+xml" }).window.document.documentElement;
      const [, , width = 0, height = 0] = (root.getAttribute("viewBox") ?? "").split(" ").map(Number);
      for (const line of root.querySelectorAll("text > tspan[x]")) line.setAttribute("class", "line");
      const texts = Array.from(root.querySelectorAll("text"));
      expect(texts.length).toBeGreaterThan(5);
      const outside = texts.filter((text) => {
        const { left, top, right, bottom } = pageBox(text);
        return left < 0 || top < 0 || right > width || bottom > height;
      });
      expect(outside.map(({ textContent }) => textContent)).toEqual([]);
    });
  });
}
