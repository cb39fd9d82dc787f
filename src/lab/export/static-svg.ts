/**
 * Static pictures of Plotly figures, drawn in Node without a browser.
 * @module
 */
import { type Figure, figureTitle, paperFigure, sansSerif } from "./figure-look.js";
import { openPlotlyWindow, type PlotlyWindow } from "./plotly-window.js";
import { svgMarkup } from "./svg-markup.js";

/** Size of a picture in CSS pixels. What is not given comes from the figure's layout, else 700 x 420. */
export interface FigureSize {
  readonly width?: number;
  readonly height?: number;
}

/** Draws figures as SVG. */
export interface FigureRenderer {
  /**
   * The figure as one `<svg>` element: deterministic to the byte, without scripts or outside references.
   * @throws Error naming the trace type and the reason if the figure cannot be drawn.
   */
  render(figure: Figure, size?: FigureSize): Promise<string>;
  /** Frees the window that Plotly lives in. A later `render` opens a new one. */
  close(): void;
}

const defaultSize = { width: 700, height: 420 } as const;
const secondsPerFigure = 30;

/**
 * A renderer that loads Plotly (one to two seconds, about 150 MB) when it draws its first figure. Figures are drawn
 * one after the other.
 */
export function createFigureRenderer(): Promise<FigureRenderer> {
  let open: Promise<PlotlyWindow> | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  return Promise.resolve({
    render(figure, size = {}) {
      open ??= openPlotlyWindow();
      const window = open;
      const drawing = queue.then(async () => draw(await window, figure, size));
      queue = drawing.catch(() => undefined);
      return drawing;
    },
    close() {
      void open?.then((window) => {
        window.close();
      });
      open = undefined;
    },
  } satisfies FigureRenderer);
}

async function draw(window: PlotlyWindow, figure: Figure, size: FigureSize): Promise<string> {
  const types = [...new Set(figure.data.map(({ type }) => String(type)))].join(", ");
  const width = size.width ?? sizeIn(figure.layout["width"]) ?? defaultSize.width;
  const height = size.height ?? sizeIn(figure.layout["height"]) ?? defaultSize.height;
  try {
    const svg = await withinTime(window.draw(paperFigure(figure, width), { width, height }));
    return svgMarkup(window.parse(svg).documentElement, {
      width,
      height,
      label: figureTitle(figure) || "figure without a title",
      fontFamily: sansSerif,
      paintingOf: (address) => window.paintingOf(address),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot draw a figure of type ${types || "without traces"}: ${reason}`, { cause: error });
  }
}

const sizeIn = (value: unknown): number | undefined =>
  typeof value === "number" && value >= 10 && value <= 10_000 ? value : undefined;

/** Fails if Plotly never answers. */
async function withinTime<Value>(drawing: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not drawn within ${String(secondsPerFigure)} seconds`));
    }, secondsPerFigure * 1000);
  });
  try {
    return await Promise.race([drawing, late]);
  } finally {
    clearTimeout(timer);
  }
}
