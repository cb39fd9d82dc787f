import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import upstream from "@jupyterlab/shortcuts-extension";
import { Signal } from "@lumino/signaling";

/**
 * Keyboard shortcuts, with one defect of the upstream plugin mended: it listens to settings being loaded and then
 * reads its own settings, which fails ("Cannot read properties of undefined (reading 'schema')") for every plugin
 * whose settings happen to load before its own. Here it hears of those plugins once its own settings are there.
 */
export const shortcutsPlugin: JupyterFrontEndPlugin<void> = {
  ...upstream,
  activate: (app: JupyterFrontEnd, settings: ISettingRegistry, ...services: unknown[]) =>
    upstream.activate(app, patientRegistry(settings, upstream.id), ...services),
};

/** The same registry, except that `pluginChanged` stays silent until `plugin` is loaded and then catches up. */
function patientRegistry(registry: ISettingRegistry, plugin: string): ISettingRegistry {
  const pluginChanged = new Signal<ISettingRegistry, string>(registry);
  const missed = new Set<string>();
  registry.pluginChanged.connect((_, changed) => {
    missed.add(changed);
    if (!(plugin in registry.plugins)) return;
    const news = [...missed];
    missed.clear();
    for (const id of news) pluginChanged.emit(id);
  });
  return new Proxy(registry, {
    get: (target, key) => (key === "pluginChanged" ? pluginChanged : Reflect.get(target, key, target)),
  });
}
