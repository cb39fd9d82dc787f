import { PageConfig, URLExt } from "@jupyterlab/coreutils";

/** A figure as it stands in a notebook's output: Plotly's data and layout, and optionally its configuration. */
export interface Figure {
  readonly data: readonly object[];
  readonly layout?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
}

/** The few functions of plotly.js that this front end calls. */
export interface Plotly {
  react(node: HTMLElement, data: readonly object[], layout: object, config: object): Promise<unknown>;
  purge(node: HTMLElement): void;
  readonly Plots: { resize(node: HTMLElement): Promise<unknown> };
}

declare global {
  interface Window {
    Plotly?: Plotly;
  }
}

let loading: Promise<Plotly> | undefined;

/**
 * The plotly.js library, loaded from this server when the first figure is drawn.
 * @throws Error if the script cannot be loaded; a later figure tries again.
 */
export function loadPlotly(): Promise<Plotly> {
  loading ??= addScript(staticUrl("plotly.min.js")).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** The address of a file below `/static/`. */
export function staticUrl(path: string): string {
  return URLExt.join(PageConfig.getBaseUrl(), "static", path);
}

function addScript(src: string): Promise<Plotly> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.addEventListener("load", () => {
      if (window.Plotly) resolve(window.Plotly);
      else reject(new Error(`${src} does not define Plotly`));
    });
    script.addEventListener("error", () => reject(new Error(`${src} could not be loaded`)));
    document.head.append(script);
  });
}
