import notebookApplication from "@jupyter-notebook/application-extension";
import notebookPage from "@jupyter-notebook/notebook-extension";
import notebookTree from "@jupyter-notebook/tree-extension";
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import application from "@jupyterlab/application-extension";
import apputils from "@jupyterlab/apputils-extension";
import cellToolbar from "@jupyterlab/cell-toolbar-extension";
import cellTags from "@jupyterlab/celltags-extension";
import codemirror from "@jupyterlab/codemirror-extension";
import completer from "@jupyterlab/completer-extension";
import csvViewer from "@jupyterlab/csvviewer-extension";
import documents from "@jupyterlab/docmanager-extension";
import documentSearch from "@jupyterlab/documentsearch-extension";
import fileBrowser from "@jupyterlab/filebrowser-extension";
import fileEditor from "@jupyterlab/fileeditor-extension";
import htmlViewer from "@jupyterlab/htmlviewer-extension";
import imageViewer from "@jupyterlab/imageviewer-extension";
import mainMenu from "@jupyterlab/mainmenu-extension";
import markdownViewer from "@jupyterlab/markdownviewer-extension";
import markdownParser from "@jupyterlab/markedparser-extension";
import mathjax from "@jupyterlab/mathjax-extension";
import metadataForm from "@jupyterlab/metadataform-extension";
import notebook from "@jupyterlab/notebook-extension";
import running from "@jupyterlab/running-extension";
import settingEditor from "@jupyterlab/settingeditor-extension";
import tableOfContents from "@jupyterlab/toc-extension";
import tooltip from "@jupyterlab/tooltip-extension";
import uiComponents from "@jupyterlab/ui-components-extension";
import { brandingPlugins } from "./branding/index.js";
import { documentsPlugin } from "./documents.js";
import { exercisesPlugin } from "./exercises/index.js";
import { localServicePlugins } from "./local-services.js";
import { plotlyPlugin } from "./plotly/index.js";
import { searchPlugin } from "./search.js";
import { settingsOfOtherPages, settingsPlugin } from "./settings.js";
import { shortcutsPlugin } from "./shortcuts.js";
import { themesPlugin } from "./themes.js";

/** The pages the server serves; each is one HTML document with its own set of plugins. */
export const PAGES = ["tree", "notebooks", "edit"] as const;

/** The name of a page, found in the page configuration as `notebookPage`. */
export type Page = (typeof PAGES)[number];

/** A plugin of the front end, whatever it requires or provides. */
export type Plugin = JupyterFrontEndPlugin<unknown>;

const everywhere: Plugin[] = [
  ...brandingPlugins,
  ...localServicePlugins,
  documentsPlugin,
  plotlyPlugin,
  searchPlugin,
  settingsPlugin,
  shortcutsPlugin,
  themesPlugin,
  ...pick(application, "context-menu", "router", "top-bar"),
  ...pick(
    apputils,
    "kernels-settings",
    "notification",
    "palette",
    "sanitizer",
    "sessionDialogs",
    "settings",
    "themes",
    "themes-palette-menu",
    "toolbar-registry",
    "utilityCommands",
  ),
  ...pick(codemirror, "binding", "extensions", "languages", "services", "themes"),
  ...pick(completer, "base-service", "manager"),
  ...pick(documents, "contexts", "dialogs", "download", "manager", "plugin"),
  ...pick(documentSearch, "plugin"),
  ...pick(fileBrowser, "default-file-browser", "factory"),
  ...pick(mainMenu, "plugin"),
  ...pick(markdownParser, "plugin"),
  ...pick(mathjax, "plugin"),
  ...pick(uiComponents, "form-renderer-registry", "labicon-manager"),
  ...pick(
    notebookApplication,
    "dirty",
    "info",
    "menu-spacer",
    "menus",
    "opener",
    "path-opener",
    "paths",
    "rendermime",
    "shell",
    "shortcuts",
    "sidepanel",
    "splash",
    "status",
    "tab-title",
    "title",
    "top",
    "tree-resolver",
    "tree-updater",
    "translator",
    "zen",
  ),
];

const textEditor = pick(fileEditor, "plugin", "search", "widget-factory");
const viewers = [
  ...pick(csvViewer, "csv", "tsv"),
  ...pick(htmlViewer, "plugin"),
  ...pick(imageViewer, "plugin"),
  ...pick(markdownViewer, "plugin"),
];
const notebooks = pick(notebook, "cell-executor", "factory", "tracker", "widget-factory");

const byPage: Record<Page, Plugin[]> = {
  tree: [
    settingsOfOtherPages(allPluginIds),
    ...textEditor,
    ...viewers,
    ...notebooks,
    ...pick(fileBrowser, "browser", "download", "open-browser-tab", "open-with"),
    ...pick(running, "plugin"),
    ...pick(settingEditor, "form-ui", "plugin"),
    ...pick(
      notebookTree,
      "file-actions",
      "file-filter-command",
      "new",
      "open-file-browser",
      "settings",
      "widget",
    ),
  ],
  notebooks: [
    exercisesPlugin,
    ...notebooks,
    ...pick(cellTags, "plugin"),
    ...pick(cellToolbar, "plugin"),
    ...pick(metadataForm, "metadataforms"),
    ...pick(codemirror, "commands"),
    ...pick(notebook, "active-cell-tool", "completer", "copy-output", "metadata-editor"),
    ...pick(notebook, "search", "toc", "tools", "update-raw-mimetype"),
    ...pick(tableOfContents, "registry", "tracker"),
    ...pick(tooltip, "manager", "notebooks"),
    ...pick(
      notebookPage,
      "checkpoints",
      "close-tab",
      "edit-notebook-metadata",
      "full-width-notebook",
      "kernel-status",
      "menu-override",
      "notebook-tools",
      "open-tree-tab",
      "scroll-output",
      "trusted",
    ),
  ],
  edit: [...textEditor, ...viewers, ...pick(tableOfContents, "registry", "tracker")],
};

/** The plugins that one page starts. */
export function pluginsOf(page: Page): Plugin[] {
  return [...everywhere, ...byPage[page]];
}

/** The ids of the plugins of all pages. */
function allPluginIds(): string[] {
  return [...new Set(PAGES.flatMap((page) => pluginsOf(page).map((plugin) => plugin.id)))];
}

/**
 * The plugins of a package whose ids end in `:name`, in the order of the names.
 * @throws RangeError if the package has no such plugin (it was renamed or dropped by an upgrade).
 */
function pick(exported: Plugin | readonly Plugin[], ...names: string[]): Plugin[] {
  const plugins = [exported].flat();
  return names.map((name) => {
    const found = plugins.find((plugin) => plugin.id.endsWith(`:${name}`));
    if (!found) {
      const known = plugins.map((plugin) => plugin.id).join(", ");
      throw new RangeError(`no plugin ends in ":${name}"; the package has ${known}`);
    }
    return found;
  });
}
