import notebookPackage from "@jupyter-notebook/application/package.json";
import { Dialog, showDialog } from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import { Widget } from "@lumino/widgets";
import logoSvg from "./logo.svg";
import { APP_NAME } from "./name.js";

/** Shows what this application is and what it is built on, until it is dismissed. */
export async function showAbout(): Promise<void> {
  await showDialog({
    title: `About ${APP_NAME}`,
    body: new Widget({ node: aboutNode() }),
    buttons: [Dialog.okButton({ label: "Close" })],
  });
}

function aboutNode(): HTMLElement {
  const node = document.createElement("div");
  node.className = "clientele-About";
  node.innerHTML = logoSvg;
  for (const line of aboutLines()) {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    node.append(paragraph);
  }
  return node;
}

function aboutLines(): string[] {
  const version = PageConfig.getOption("appVersion");
  return [
    `${APP_NAME} ${version}`.trimEnd(),
    "Analytical CRM in TypeScript notebooks.",
    `Built on Jupyter Notebook ${notebookPackage.version} and the kernel tslab.`,
    "Everything runs on this computer; no data leaves it.",
  ];
}
