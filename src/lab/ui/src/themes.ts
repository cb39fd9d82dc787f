import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IThemeManager } from "@jupyterlab/apputils";

/** The themes of JupyterLab, under plain names in the menu; their full names are what the settings store. */
const THEMES = [
  { name: "JupyterLab Light", displayName: "Light", isLight: true, sheet: "theme-light-extension" },
  { name: "JupyterLab Dark", displayName: "Dark", isLight: false, sheet: "theme-dark-extension" },
];

/** Offers a light and a dark theme; their style sheets are served by the server's themes API. */
export const themesPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:themes",
  description: "Offers a light and a dark theme.",
  autoStart: true,
  requires: [IThemeManager],
  activate: (_app, manager: IThemeManager) => {
    for (const { sheet, ...theme } of THEMES) {
      manager.register({
        ...theme,
        themeScrollbars: !theme.isLight,
        load: () => manager.loadCSS(`@jupyterlab/${sheet}/index.css`),
        unload: () => Promise.resolve(undefined),
      });
    }
  },
};
