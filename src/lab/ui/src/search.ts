import { INotebookShell } from "@jupyter-notebook/application";
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ISearchProviderRegistry } from "@jupyterlab/documentsearch";

/** The class by which the keyboard shortcuts of the search (Ctrl+F) know where they apply. */
const SEARCHABLE = "jp-mod-searchable";

/** Lets the shortcuts of the document search work in whatever document is shown, if it can be searched. */
export const searchPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:search",
  description: "Makes the shown document searchable by keyboard.",
  autoStart: true,
  requires: [INotebookShell, ISearchProviderRegistry],
  activate: (_app, shell: INotebookShell, providers: ISearchProviderRegistry) => {
    const update = (): void => {
      const shown = shell.currentWidget;
      shown?.toggleClass(SEARCHABLE, providers.hasProvider(shown));
    };
    shell.currentChanged.connect(update);
    providers.changed.connect(update);
    update();
  },
};
