import { ILabStatus, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import logoSvg from "./logo.svg";
import { APP_NAME } from "./name.js";

/** The browser tab: named after the application until a document names it, and with an icon that shows a busy kernel. */
export const tabPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:tab",
  description: "Sets the title and the icon of the browser tab.",
  autoStart: true,
  requires: [ILabStatus],
  activate: (_app, status: ILabStatus) => {
    document.title ||= APP_NAME;
    const link = iconLink();
    const update = (busy: boolean): void => {
      link.href = dataUrl(busy ? busyIcon() : logoSvg);
    };
    update(false);
    status.busySignal.connect((_, busy) => update(busy));
  },
};

/** The page's icon link; any icon that the page came with is replaced. */
function iconLink(): HTMLLinkElement {
  for (const old of document.querySelectorAll('link[rel~="icon"]')) old.remove();
  const link = document.createElement("link");
  link.rel = "icon";
  link.type = "image/svg+xml";
  document.head.append(link);
  return link;
}

/** The logo with a dot in its middle. */
function busyIcon(): string {
  return logoSvg.replace("</svg>", '<circle cx="24" cy="25" r="7" fill="#dc2626"/></svg>');
}

function dataUrl(svg: string): string {
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
