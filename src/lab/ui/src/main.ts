import "./styles.js";
import { NotebookApp, NotebookShell } from "@jupyter-notebook/application";
import { PageConfig } from "@jupyterlab/coreutils";
import * as javascriptRenderer from "@jupyterlab/javascript-extension";
import * as jsonRenderer from "@jupyterlab/json-extension";
import { IServiceManager } from "@jupyterlab/services";
import servicePlugins from "@jupyterlab/services-extension";
import { PluginRegistry } from "@lumino/coreutils";
import { APP_NAME } from "./branding/name.js";
import { PAGES, type Page, pluginsOf } from "./plugins.js";

/**
 * Starts the page that the server named in the page configuration.
 * @throws RangeError if the server named a page this front end does not have.
 */
async function start(): Promise<void> {
  const plugins = pluginsOf(currentPage());
  const pluginRegistry = new PluginRegistry<null>();
  pluginRegistry.registerPlugins(servicePlugins);
  const serviceManager = await pluginRegistry.resolveRequiredService(IServiceManager);
  const app = new NotebookApp({
    shell: new NotebookShell(),
    pluginRegistry,
    serviceManager,
    mimeExtensions: [jsonRenderer, javascriptRenderer],
  });
  Object.assign(app, { name: APP_NAME, namespace: APP_NAME });
  app.registerPlugins(plugins);
  if (PageConfig.getOption("exposeAppInBrowser") === "true") {
    Object.assign(window, { jupyterapp: app });
  }
  await app.start();
}

function currentPage(): Page {
  const name = PageConfig.getOption("notebookPage");
  const page = PAGES.find((known) => known === name);
  if (!page) throw new RangeError(`notebookPage must be one of ${PAGES.join(", ")}, got "${name}"`);
  return page;
}

await start();
