import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { type ISignal, Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { type Figure, loadPlotly, type Plotly, staticUrl } from "./library.js";
import { pageColors, themedLayout } from "./theme.js";

/** A figure in the output of a cell. It fills the width it is given and follows the theme of the page. */
export class FigureWidget extends Widget implements IRenderMime.IRenderer {
  readonly #mimeType: string;
  readonly #resizes: ResizeObserver;
  #plotly: Plotly | undefined;
  #figure: Figure | undefined;

  constructor(mimeType: string, themeChanged: ISignal<object, void>) {
    super();
    this.addClass("clientele-Plotly");
    this.#mimeType = mimeType;
    this.#resizes = new ResizeObserver(() => this.#fit());
    this.#resizes.observe(this.node);
    themeChanged.connect(this.#redraw, this);
  }

  /**
   * Draws the figure of an output, or changes the drawn figure into it.
   * @throws Error if plotly.js cannot be loaded or the output is no figure.
   */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const figure = model.data[this.#mimeType];
    if (!isFigure(figure)) throw new Error(`${this.#mimeType} needs an object with a "data" array`);
    this.#plotly = await loadPlotly();
    this.#figure = figure;
    await this.#draw();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#resizes.disconnect();
    Signal.clearData(this);
    this.#plotly?.purge(this.node);
    this.#figure = undefined;
    super.dispose();
  }

  async #draw(): Promise<void> {
    if (!this.#plotly || !this.#figure || this.isDisposed) return;
    const { data, config } = this.#figure;
    await this.#plotly.react(this.node, data, themedLayout(this.#figure, pageColors()), {
      displaylogo: false,
      topojsonURL: staticUrl("topojson/"),
      ...config,
    });
  }

  #redraw(): void {
    void this.#draw();
  }

  #fit(): void {
    const drawn = this.node.classList.contains("js-plotly-plot");
    if (drawn && this.node.offsetWidth > 0) void this.#plotly?.Plots.resize(this.node);
  }
}

function isFigure(value: unknown): value is Figure {
  return typeof value === "object" && value !== null && "data" in value && Array.isArray(value.data);
}
