import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { IMainMenu } from "@jupyterlab/mainmenu";
import { showAbout } from "./about.js";
import { APP_NAME } from "./name.js";

const ABOUT = "clientele:about";

/** Fills the Help menu: keyboard shortcuts and About, nothing that leads out of this machine. */
export const helpPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:help",
  description: "Fills the Help menu.",
  autoStart: true,
  optional: [IMainMenu, ICommandPalette],
  activate: (app, menu: IMainMenu | null, palette: ICommandPalette | null) => {
    app.commands.addCommand(ABOUT, {
      label: `About ${APP_NAME}`,
      describedBy: { args: { type: "object", properties: {} } },
      execute: () => showAbout(),
    });
    menu?.helpMenu.addGroup([{ command: ABOUT }], 0);
    palette?.addItem({ command: ABOUT, category: "Help" });
  },
};
