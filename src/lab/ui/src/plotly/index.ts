import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IThemeManager } from "@jupyterlab/apputils";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Signal } from "@lumino/signaling";
import { FigureWidget } from "./widget.js";

/** The type of output that holds a Plotly figure as JSON. */
export const PLOTLY_MIME = "application/vnd.plotly.v1+json";

/** Below the ranks of image/svg+xml, text/html and text/plain: of several forms of an output the figure is shown. */
const RANK = 0;

/** Draws outputs of the type `application/vnd.plotly.v1+json` as interactive figures. */
export const plotlyPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:plotly",
  description: "Draws Plotly figures.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [IThemeManager],
  activate: (_app, rendermime: IRenderMimeRegistry, themes: IThemeManager | null) => {
    const themeChanged = new Signal<object, void>({});
    themes?.themeChanged.connect(() => themeChanged.emit());
    const factory: IRenderMime.IRendererFactory = {
      safe: true,
      mimeTypes: [PLOTLY_MIME],
      createRenderer: (options) => new FigureWidget(options.mimeType, themeChanged),
    };
    rendermime.addFactory(factory, RANK);
  },
};
