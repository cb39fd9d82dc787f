import { basename, join } from "node:path";
import { exportHtml } from "../export/html.js";
import { exportIndex, indexEntry } from "../export/index-page.js";
import { createFigureRenderer } from "../export/static-svg.js";
import { writeFileAtomic } from "../files.js";
import { findNotebooks, readNotebookFile } from "./notebooks.js";
import { runFacts } from "./run-facts.js";
import type { Terminal } from "./terminal.js";

/** What `clientele export` is asked for. */
export interface ExportOptions {
  /** Folder for the HTML files. */
  readonly out: string;
  /** Pictures instead of interactive figures: small files without scripts. */
  readonly figures: "interactive" | "static";
  readonly code: "folded" | "hidden" | "shown";
}

/** Writes each notebook, with the outputs it holds, as one HTML file, and an index page of all. */
export async function exportCommand(
  paths: readonly string[],
  { out, figures, code }: ExportOptions,
  terminal: Terminal,
): Promise<boolean> {
  const renderer = await createFigureRenderer();
  try {
    const entries = [];
    for (const path of await findNotebooks(paths)) {
      const { notebook } = await readNotebookFile(path);
      const file = basename(path).replace(/\.ipynb$/, ".html");
      const page = await exportHtml(notebook, {
        figures,
        code,
        renderer,
        provenance: await runFacts(path),
      });
      await writeFileAtomic(join(out, file), page);
      terminal.out(`${join(out, file)}: ${Math.round(Buffer.byteLength(page) / 1000)} kB`);
      entries.push(indexEntry(notebook, file));
    }
    await writeFileAtomic(join(out, "index.html"), exportIndex(entries));
    terminal.out(join(out, "index.html"));
    return true;
  } finally {
    renderer.close();
  }
}
