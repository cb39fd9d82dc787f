import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { Cell } from "@jupyterlab/cells";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";

/** Cell tags that mean something to a learner, with the label shown on the cell. */
const LABELS: ReadonlyMap<string, string> = new Map([
  ["exercise", "Exercise"],
  ["solution", "Solution"],
  ["check", "Check"],
]);

/** The first tag of a cell that marks it as part of an exercise, if any. */
export function exerciseTag(tags: unknown): string | undefined {
  return Array.isArray(tags) ? tags.find((tag) => LABELS.has(tag)) : undefined;
}

/** Marks the cells tagged `exercise`, `solution` or `check`; the style sheet gives them an accent and a label. */
export const exercisesPlugin: JupyterFrontEndPlugin<void> = {
  id: "clientele:exercises",
  description: "Shows which cells are exercises, solutions and checks.",
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_app, tracker: INotebookTracker) => {
    tracker.widgetAdded.connect((_, panel) => void followCells(panel));
  },
};

async function followCells(panel: NotebookPanel): Promise<void> {
  await panel.context.ready;
  const followed = new WeakSet<Cell>();
  const followAll = (): void => {
    for (const cell of panel.content.widgets) {
      if (followed.has(cell)) continue;
      followed.add(cell);
      markCell(cell);
      cell.model.metadataChanged.connect(() => markCell(cell));
    }
  };
  followAll();
  panel.content.modelContentChanged.connect(followAll);
}

function markCell(cell: Cell): void {
  const tag = exerciseTag(cell.model.getMetadata("tags"));
  const marks = cell.node.dataset;
  if (tag === undefined) {
    delete marks["exerciseTag"];
    delete marks["exerciseLabel"];
  } else {
    marks["exerciseTag"] = tag;
    marks["exerciseLabel"] = LABELS.get(tag);
  }
}
