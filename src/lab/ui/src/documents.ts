import { INotebookShell } from "@jupyter-notebook/application";
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { PageConfig, PathExt, URLExt } from "@jupyterlab/coreutils";
import { IDocumentWidgetOpener } from "@jupyterlab/docmanager";
import type { DocumentRegistry, IDocumentWidget } from "@jupyterlab/docregistry";
import { type ISignal, Signal } from "@lumino/signaling";

/** How long a new notebook's tab waits for the kernel that is started for it. */
const KERNEL_WAIT_MS = 3000;

/** Shows the page's own document, and any other document in a browser tab of its own. */
class TabOpener implements IDocumentWidgetOpener {
  readonly #shell: INotebookShell;
  readonly #registry: DocumentRegistry;
  readonly #opened = new Signal<IDocumentWidgetOpener, IDocumentWidget>(this);
  #shown = 0;

  constructor(shell: INotebookShell, registry: DocumentRegistry) {
    this.#shell = shell;
    this.#registry = registry;
  }

  get opened(): ISignal<IDocumentWidgetOpener, IDocumentWidget> {
    return this.#opened;
  }

  open(widget: IDocumentWidget, options: DocumentRegistry.IOpenOptions = {}): void {
    const { type, ...place } = options;
    if (options.ref === "_noref") this.#show(widget, place);
    else if (this.#isPart(type)) this.#show(widget, options);
    else void this.#openTab(widget, type ?? "default");
  }

  /** Whether this kind of widget belongs beside the page's document, like the preview beside Markdown's source. */
  #isPart(factory = ""): boolean {
    const layout = this.#shell.userLayout as INotebookShell.IUserLayout | undefined;
    return PageConfig.getOption("notebookPage") !== "tree" && layout?.[factory]?.area !== undefined;
  }

  /** Shows a widget: in the middle of the page or, where the options name its type, where the layout has that type. */
  #show(widget: IDocumentWidget, options: DocumentRegistry.IOpenOptions): void {
    this.#shown += 1;
    widget.id ||= `clientele-document-${this.#shown}`;
    widget.title.dataset = { type: "document-title", ...widget.title.dataset };
    if (!widget.isAttached) this.#shell.add(widget, "main", options);
    this.#shell.activateById(widget.id);
    this.#opened.emit(widget);
  }

  /**
   * Opens the document's page. A notebook that was just created is saved first, so that it keeps its kernel, and its
   * widget stays until that kernel runs: disposed earlier, it would fail, and the new tab would start a second kernel.
   */
  async #openTab(widget: IDocumentWidget, factory: string): Promise<void> {
    const { path, sessionContext } = widget.context;
    const isNew = isNotebook(path, factory) && Boolean(sessionContext.kernelPreference.name);
    if (isNew) {
      await widget.context.save();
      await Promise.race([sessionContext.ready, wait(KERNEL_WAIT_MS)]);
    }
    window.open(this.#address(path, factory));
    if (isNew) await sessionContext.ready;
    widget.dispose();
  }

  #address(path: string, factory: string): string {
    const page = isNotebook(path, factory) ? "notebooks" : "edit";
    const address = URLExt.join(PageConfig.getBaseUrl(), page, URLExt.encodeParts(path));
    const isDefault = [this.#registry.defaultWidgetFactory(path).name, "default"].includes(factory);
    return isDefault ? address : `${address}?${new URLSearchParams({ factory })}`;
  }
}

function isNotebook(path: string, factory: string): boolean {
  return factory === "default" ? PathExt.extname(path) === ".ipynb" : factory.includes("Notebook");
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Opens documents in browser tabs, one document a tab. */
export const documentsPlugin: JupyterFrontEndPlugin<IDocumentWidgetOpener> = {
  id: "clientele:documents",
  description: "Opens documents in browser tabs.",
  autoStart: true,
  requires: [INotebookShell],
  provides: IDocumentWidgetOpener,
  activate: (app, shell: INotebookShell) => new TabOpener(shell, app.docRegistry),
};
