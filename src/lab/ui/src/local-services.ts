import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IStateDB, StateDB } from "@jupyterlab/statedb";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";

/** The user interface is English: no language packs are asked from the server. */
const translator: JupyterFrontEndPlugin<ITranslator> = {
  id: "clientele:translator",
  description: "Leaves the texts of the user interface untranslated.",
  autoStart: true,
  provides: ITranslator,
  activate: () => nullTranslator,
};

/** Widget state lives as long as the page: there are no server-side workspaces to restore. */
const state: JupyterFrontEndPlugin<IStateDB> = {
  id: "clientele:state",
  description: "Keeps the state of widgets in the memory of the page.",
  autoStart: true,
  provides: IStateDB,
  activate: () => new StateDB(),
};

/** Services that upstream asks of the server and that this front end settles in the page. */
export const localServicePlugins = [translator, state];
