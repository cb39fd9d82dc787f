/**
 * What the studies of a notebook say about their data, seed, parameters and versions.
 * @module
 */
import { isRecord, type Notebook } from "../notebook/format.js";

/** Under this type a notebook's first cell shows what its outputs depend on. */
export const studyMime = "application/vnd.clientele.study+json";

/** A data file as a study found it. */
export interface DataFact {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number | undefined;
}

/** What one study says about itself. */
export interface StudyFacts {
  readonly title: string;
  readonly data: readonly DataFact[];
  readonly seed: string;
  /** Values as JSON, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** The studies a notebook shows, in order; usually one. Malformed parts are left out. */
export function studiesOf(notebook: Notebook): readonly StudyFacts[] {
  return notebook.cells
    .flatMap((cell) => (cell.cell_type === "code" ? cell.outputs : []))
    .flatMap((output) =>
      "data" in output && isRecord(output.data[studyMime]) ? [output.data[studyMime]] : [],
    )
    .map((study) => ({
      title: textOf(study["title"]),
      data: (Array.isArray(study["data"]) ? study["data"] : []).filter(isRecord).map((file) => ({
        path: textOf(file["path"]),
        sha256: textOf(file["sha256"]),
        bytes: typeof file["bytes"] === "number" ? file["bytes"] : undefined,
      })),
      seed: study["seed"] === null || study["seed"] === undefined ? "none" : textOf(study["seed"]),
      parameters: textsOf(study["parameters"], (value) => JSON.stringify(value)),
      versions: textsOf(study["versions"], textOf),
    }));
}

/** The last day the data reach to, as the parameters name it: the latest of their ISO dates. Undefined if there is none. */
export function dataUntil(studies: readonly StudyFacts[]): string | undefined {
  const dates = studies.flatMap(({ parameters }) =>
    Object.values(parameters).flatMap((value) => value.match(/(?<=")\d{4}-\d{2}-\d{2}(?=")/g) ?? []),
  );
  return dates.sort().at(-1);
}

function textsOf(value: unknown, write: (value: unknown) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).map(([key, part]) => [key, write(part)]),
  );
}

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";
