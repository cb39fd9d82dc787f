/**
 * Plotly in Node: a window without a screen, in which texts and shapes have the sizes of `svg-boxes` and heat map
 * cells are recorded instead of painted.
 * @module
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Box, ownBox, pageBox, textLength } from "./svg-boxes.js";
import { pathLength, pointAlong } from "./svg-path.js";

/** A cell of a heat map: place and size in pixels of its image, colour as CSS. */
export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly color: string;
}

/** What a heat map's canvas holds; `width` and `height` are the canvas's own pixels. */
export interface Painting {
  readonly width: number;
  readonly height: number;
  readonly cells: readonly Cell[];
}

/** Plotly with its window. */
export interface PlotlyWindow {
  /** Draws a figure as SVG text. Images whose address is `cells:N` stand for `paintingOf("cells:N")`. */
  draw(figure: object, size: { readonly width: number; readonly height: number }): Promise<string>;
  paintingOf(address: string): Painting | undefined;
  /** The SVG text as a document of this window. */
  parse(svg: string): Document;
  /** Frees the window; nothing can be drawn afterwards. */
  close(): void;
}

interface Plotly {
  toImage(figure: object, options: object): Promise<string>;
}

const isPlotly = (value: unknown): value is Plotly =>
  typeof value === "object" && value !== null && "toImage" in value && typeof value.toImage === "function";

/** Path of the plotly.js file, for drawing here and for pages that bring it along. */
export const plotlyPath = (): string => createRequire(import.meta.url).resolve("plotly.js/plotly.min.js");

/**
 * Opens a window and loads Plotly into it, which takes one to two seconds.
 * @throws Error if the file is not Plotly.
 */
export async function openPlotlyWindow(): Promise<PlotlyWindow> {
  const [{ JSDOM, VirtualConsole }, code] = await Promise.all([
    import("jsdom"),
    readFile(plotlyPath(), "utf8"),
  ]);
  const { window } = new JSDOM("<!doctype html><body></body>", {
    runScripts: "outside-only", // Plotly runs, scripts inside a page do not
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(), // Plotly's remarks go nowhere
  });
  const recorder = cellRecorder();
  Object.assign(window, browserParts, { structuredClone, TextDecoder, TextEncoder });
  Object.assign(window.URL, { createObjectURL: () => "blob:none", revokeObjectURL: () => undefined });
  Object.assign(window.SVGElement.prototype, svgLayout);
  Object.assign(window.HTMLElement.prototype, { getBoundingClientRect: pageRectangle });
  Object.assign(window.HTMLCanvasElement.prototype, recorder.canvas);
  window.eval(code);
  const plotly: unknown = window["Plotly"];
  if (!isPlotly(plotly)) throw new Error(`${plotlyPath()} did not define Plotly`);
  return {
    draw(figure, size) {
      recorder.clear();
      window.eval(sameLots);
      return plotly.toImage(figure, { format: "svg", imageDataOnly: true, ...size });
    },
    paintingOf: recorder.paintingOf,
    parse: (svg) => new window.DOMParser().parseFromString(svg, "image/svg+xml"),
    close: () => {
      window.close();
    },
  };
}

/** Plotly draws lots for its ids and for the jitter of points: the same ones for every figure (Numerical Recipes). */
const sameLots = `{
  let draw = 0;
  Math.random = () => (draw = (Math.imul(draw, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}`;

/** What Plotly asks a browser for when it loads. */
const browserParts = {
  matchMedia: () => ({ matches: false, addListener: () => undefined, addEventListener: () => undefined }),
};

const rectangleOf = ({ left, top, right, bottom }: Box): object => ({
  x: left,
  y: top,
  left,
  top,
  right,
  bottom,
  width: right - left,
  height: bottom - top,
});

const nowhere: Box = { left: 0, top: 0, right: 0, bottom: 0 };

/** A browser's measuring methods, computed from the attributes of the element they are called on. */
const svgLayout = {
  getBBox(this: Element): object {
    return rectangleOf(ownBox(this) ?? nowhere);
  },
  getBoundingClientRect(this: Element): object {
    return rectangleOf(pageBox(this));
  },
  getComputedTextLength(this: Element): number {
    return textLength(this);
  },
  getTotalLength(this: Element): number {
    return pathLength(this.getAttribute("d") ?? "");
  },
  getPointAtLength(this: Element, length: number): object {
    const [x, y] = pointAlong(this.getAttribute("d") ?? "", length);
    return { x, y };
  },
};

/** Of HTML elements Plotly asks for the size of the figure's own box, which has it in its style. */
function pageRectangle(this: HTMLElement): object {
  const { width, height } = this.style;
  return rectangleOf({
    ...nowhere,
    right: Number.parseFloat(width) || 0,
    bottom: Number.parseFloat(height) || 0,
  });
}

/** Canvases that keep what Plotly paints for a heat map: a rectangle, or one pixel of a small image, for each cell. */
function cellRecorder(): {
  readonly canvas: object;
  readonly paintingOf: (address: string) => Painting | undefined;
  readonly clear: () => void;
} {
  const paintings = new Map<string, Painting>();
  let cellsOf = new WeakMap<object, Cell[]>();
  const canvas = {
    getContext(this: object, kind: string): object | null {
      if (kind !== "2d") return null;
      const cells: Cell[] = [];
      cellsOf.set(this, cells);
      return cellContext(cells);
    },
    toDataURL(this: { readonly width: number; readonly height: number }): string {
      const address = `cells:${String(paintings.size)}`;
      paintings.set(address, { width: this.width, height: this.height, cells: cellsOf.get(this) ?? [] });
      return address;
    },
  };
  return {
    canvas,
    paintingOf: (address) => paintings.get(address),
    clear: () => {
      paintings.clear();
      cellsOf = new WeakMap();
    },
  };
}

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

function cellContext(cells: Cell[]): object {
  const context = {
    fillStyle: "",
    fillRect: (x: number, y: number, width: number, height: number): void => {
      cells.push({ x, y, width, height, color: context.fillStyle });
    },
    createImageData: (width: number, height: number): Pixels => ({
      width,
      height,
      data: new Uint8ClampedArray(4 * width * height),
    }),
    putImageData: ({ width, height, data }: Pixels): void => {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(4 * (y * width + x));
          const color = `rgba(${String(red)},${String(green)},${String(blue)},${String(alpha / 255)})`;
          cells.push({ x, y, width: 1, height: 1, color });
        }
      }
    },
  };
  return context;
}
