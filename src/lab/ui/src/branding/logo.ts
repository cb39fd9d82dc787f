import { INotebookShell } from "@jupyter-notebook/application";
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { PageConfig, URLExt } from "@jupyterlab/coreutils";
import { Widget } from "@lumino/widgets";
import logoSvg from "./logo.svg";
import { APP_NAME } from "./name.js";

/** The application's mark and name at the left of the top bar; a click leads to the list of files. */
export const logoPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:logo",
  description: "Shows the logo of the application.",
  autoStart: true,
  requires: [INotebookShell],
  activate: (_app, shell: INotebookShell) => {
    const link = document.createElement("a");
    link.href = URLExt.join(PageConfig.getBaseUrl(), "tree");
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.title = "Show the files";
    link.innerHTML = logoSvg;
    link.append(APP_NAME);
    const widget = new Widget({ node: link });
    widget.id = "clientele-logo";
    shell.add(widget, "top", { rank: 0 });
  },
};
