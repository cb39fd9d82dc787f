import {
  type Cell,
  type CodeCell,
  KERNEL_METADATA,
  type Notebook,
} from "../../../src/lab/notebook/format.js";

/** A code cell with tags. */
export const code = (source: string, ...tags: string[]): CodeCell => ({
  cell_type: "code",
  execution_count: null,
  metadata: tags.length === 0 ? {} : { tags },
  outputs: [],
  source,
});

/** A text cell. */
export const markdown = (source: string): Cell => ({ cell_type: "markdown", metadata: {}, source });

/** A notebook of these cells. */
export const notebook = (...cells: Cell[]): Notebook => ({
  cells,
  metadata: structuredClone(KERNEL_METADATA),
  nbformat: 4,
  nbformat_minor: 5,
});
