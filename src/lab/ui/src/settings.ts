import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { PageConfig } from "@jupyterlab/coreutils";
import type { Setting } from "@jupyterlab/services";
import { ISettingConnector, ISettingRegistry } from "@jupyterlab/settingregistry";
import { DataConnector } from "@jupyterlab/statedb";
import { withoutDeadEntries } from "./menus.js";

/** Passes settings between the server and the page, leaving out menu entries that would lead nowhere. */
class PageSettings extends DataConnector<ISettingRegistry.IPlugin, string> implements ISettingConnector {
  readonly #server: Setting.IManager;
  readonly #page = PageConfig.getOption("notebookPage");

  constructor(server: Setting.IManager) {
    super();
    this.#server = server;
  }

  override async fetch(id: string): Promise<ISettingRegistry.IPlugin> {
    return withoutDeadEntries(await this.#server.fetch(id), this.#page);
  }

  override async list(query?: string): Promise<{ ids: string[]; values: ISettingRegistry.IPlugin[] }> {
    const { ids, values } = await this.#server.list(query === "ids" ? "ids" : undefined);
    return { ids, values: values.map((settings) => withoutDeadEntries(settings, this.#page)) };
  }

  override async save(id: string, raw: string): Promise<void> {
    await this.#server.save(id, raw);
  }
}

/** Where the page gets its settings from. */
export const settingsPlugin: JupyterFrontEndPlugin<ISettingConnector> = {
  id: "clientele:settings",
  description: "Connects the page to the settings kept by the server.",
  autoStart: true,
  provides: ISettingConnector,
  activate: (app) => new PageSettings(app.serviceManager.settings),
};

/**
 * Loads the settings of plugins that only other pages start, so that the settings editor shows them too.
 * @param pluginIds the plugins of all pages
 */
export function settingsOfOtherPages(pluginIds: () => readonly string[]): JupyterFrontEndPlugin<void> {
  return {
    id: "clientele:settings-of-other-pages",
    description: "Shows the settings of all pages in the settings editor.",
    autoStart: true,
    requires: [ISettingRegistry],
    activate: (app, registry: ISettingRegistry) => {
      void app.restored.then(async () => {
        const { ids } = await registry.connector.list("ids");
        const elsewhere = pluginIds().filter((id) => ids.includes(id) && !app.hasPlugin(id));
        await Promise.all(elsewhere.map((id) => loadUntransformed(registry, id)));
      });
    },
  };
}

/** Loads settings as the server has them: the plugin that would complete them is not started on this page. */
async function loadUntransformed(registry: ISettingRegistry, id: string): Promise<void> {
  registry.transform(id, {});
  await registry.load(id);
}
