import type { ISettingRegistry } from "@jupyterlab/settingregistry";

/** Menu entries to leave out: those whose command or submenu id matches. */
interface Omission {
  /** Only on this page; without it, on every page. */
  readonly page?: string;
  /** Only entries declared by this plugin; without it, by any. */
  readonly plugin?: string;
  readonly names: RegExp;
}

/** Entries of features that this front end, or one of its pages, does not have, and entries declared twice. */
const OMISSIONS: readonly Omission[] = [
  { names: /^(application:close|filemenu:create-console|filemenu:logout|filebrowser:open-url)$/ },
  { names: /^filemenu:close-and-cleanup$/, plugin: "@jupyterlab/mainmenu-extension:plugin" },
  {
    names:
      /^(fileeditor:create-console|notebook:(create(-subshell)?-console|run-in-console|create-output-view))$/,
  },
  { names: /^toc:show-panel$/, page: "notebooks" },
  {
    names: /^(application:(rename|duplicate)|filemenu:(?!shutdown)|viewmenu:|docmanager:(?!toggle-autosave))/,
    page: "tree",
  },
  { names: /^(notebook:(?!create-new)|fileeditor:(?!create-new)|jp-mainmenu-.*(code|editor))/, page: "tree" },
  { names: /^(editmenu:clear-|jp-mainmenu-codefold$)/, page: "edit" },
];

/** The settings of a plugin without the menu entries that are dead on this page. */
export function withoutDeadEntries(
  settings: ISettingRegistry.IPlugin,
  page: string,
): ISettingRegistry.IPlugin {
  const menus = settings.schema["jupyter.lab.menus"];
  if (!menus) return settings;
  const omissions = OMISSIONS.filter((omission) => {
    return (omission.page ?? page) === page && (omission.plugin ?? settings.id) === settings.id;
  });
  const main = (menus.main ?? []).map((menu) => prunedMenu(menu, omissions));
  const context = prunedItems(menus.context ?? [], omissions);
  return { ...settings, schema: { ...settings.schema, "jupyter.lab.menus": { main, context } } };
}

function prunedMenu(menu: ISettingRegistry.IMenu, omissions: readonly Omission[]): ISettingRegistry.IMenu {
  return menu.items ? { ...menu, items: prunedItems(menu.items, omissions) } : menu;
}

function prunedItems<Item extends ISettingRegistry.IMenuItem>(
  items: readonly Item[],
  omissions: readonly Omission[],
): Item[] {
  return items
    .filter((item) => !omissions.some(({ names }) => names.test(item.command ?? item.submenu?.id ?? "")))
    .map((item) => (item.submenu ? { ...item, submenu: prunedMenu(item.submenu, omissions) } : item));
}
