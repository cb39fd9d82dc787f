import { type Cell, type CodeCell, type Notebook, tagsOf } from "./format.js";

const noteId = "learner-edition";

const note: Cell = {
  cell_type: "markdown",
  id: noteId,
  metadata: { tags: [noteId] },
  source: [
    "> **Learner edition.** The solutions are left out. Write your answer into the cell above each check, run both",
    "> cells, and the check says *not tried*, *not yet* with a hint, or *right*. Run the notebook from the top first:",
    "> the exercises use what it computes. The full edition, with solutions, has the same name in the folder of studies.",
  ].join("\n"),
};

/**
 * The notebook as learners get it: cells tagged `solution` are gone, exercises and checks have no outputs, and neither
 * has any cell that computes with what a solution defined. A note at the top says how to work with it. Everything else,
 * ids and metadata and the record of data and versions included, stays as it is. Applied twice it does nothing more.
 */
export function learnerEdition(notebook: Notebook): Notebook {
  const { cells, ...rest } = structuredClone(notebook);
  const solved = new Set<string>();
  const kept: Cell[] = [];
  for (const cell of cells) {
    if (tagsOf(cell).includes("solution")) {
      if (cell.cell_type === "code") for (const name of definedIn(cell.source)) solved.add(name);
    } else if (cell.cell_type === "code" && (isTask(cell) || uses(cell.source, solved))) {
      for (const name of isTask(cell) ? [] : definedIn(cell.source)) solved.add(name);
      kept.push(withoutOutputs(cell));
    } else kept.push(cell);
  }
  const noted = kept.some(({ id }) => id === noteId) ? kept : [structuredClone(note), ...kept];
  return { ...rest, cells: noted };
}

const isTask = (cell: Cell): boolean => tagsOf(cell).some((tag) => tag === "exercise" || tag === "check");

const withoutOutputs = (cell: CodeCell): CodeCell => ({ ...cell, execution_count: null, outputs: [] });

/** Names a cell declares or assigns; imported ones hold no answer. */
function definedIn(source: string): readonly string[] {
  const code = withoutTexts(source);
  const declared = code.matchAll(/\b(?:const|let|var|function|class)\s+([\p{L}_$][\p{L}\p{N}_$]*)/gu);
  const unpacked = code.matchAll(/\b(?:const|let|var)\s*[[{]([^=]*?)[\]}]\s*=/g);
  const assigned = code.matchAll(
    /(?<![.\p{L}\p{N}_$])([\p{L}_$][\p{L}\p{N}_$]*)\s*(?:[-+*/%]|\?\?|\|\||&&)?=(?![=>])/gu,
  );
  return [
    ...[...declared, ...assigned].map(([, name = ""]) => name),
    ...[...unpacked].flatMap(([, names = ""]) => names.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []),
  ];
}

/** Whether code mentions one of the names, other than as a property. */
function uses(source: string, names: ReadonlySet<string>): boolean {
  const words = withoutTexts(source).matchAll(/(?<![.\p{L}\p{N}_$])[\p{L}_$][\p{L}\p{N}_$]*/gu);
  return [...words].some(([name]) => names.has(name));
}

/** The code without comments and plain texts; templates stay, for they compute. */
const withoutTexts = (source: string): string =>
  source.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""');
