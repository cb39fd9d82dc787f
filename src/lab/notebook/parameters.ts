/**
 * Parameters of a notebook: the constants declared in the cell tagged `parameters`, set from the command line by a
 * cell that is inserted after it, checked by the compiler against the types declared.
 * @module
 */
import { DataError } from "../../core/errors.js";
import type { KernelProcess } from "../kernel/client.js";
import { type CodeCell, type Notebook, tagsOf } from "./format.js";

/** Values as typed on the command line: `{ bins: "6", analysisDate: "2025-12-31" }`. */
export type ParameterValues = Readonly<Record<string, string>>;

/** A constant the notebook offers to be set. */
export interface DeclaredParameter {
  readonly name: string;
  /** Its value as written in the cell: `5`, `"2025-12-31"`. */
  readonly initial: string;
}

const DECLARATION =
  /^\s*(?:export\s+)?(?:const|let)\s+([A-Za-z_$][\w$]*)\s*(?::[^=]+)?=\s*(.+?);?\s*(?:\/\/.*)?$/;
const CHECK_TIMEOUT_MS = 60_000;

/** The parameters a notebook declares, in order: one `const name = value;` a line in the cell tagged `parameters`. */
function declaredParameters(notebook: Notebook): readonly DeclaredParameter[] {
  const cell = notebook.cells.find((candidate) => tagsOf(candidate).includes("parameters"));
  return (cell?.source ?? "").split("\n").flatMap((line) => {
    const [, name, initial] = DECLARATION.exec(line) ?? [];
    return name === undefined || initial === undefined ? [] : [{ name, initial }];
  });
}

/**
 * The literal for a value typed on the command line: a text where the notebook declares a text, JSON elsewhere, and a
 * text where it is no JSON (the compiler then says what was expected).
 */
function parameterLiteral(value: string, declared: DeclaredParameter): string {
  if (/^["'`]/.test(declared.initial)) return JSON.stringify(value);
  try {
    return JSON.stringify(JSON.parse(value));
  } catch {
    return JSON.stringify(value);
  }
}

/**
 * Inserts the cell that sets the parameters. `check` compiles each value against the declared type in a kernel that
 * has run the cells before; call it when that point is reached.
 * @throws DataError if a name is not declared, naming those that are.
 */
export function injectParameters(
  notebook: Notebook,
  values: ParameterValues,
): { notebook: Notebook; check: (kernel: KernelProcess) => Promise<void> } {
  const declared = declaredParameters(notebook);
  const settings = Object.entries(values).map(([name, value]) => {
    const parameter = declared.find((candidate) => candidate.name === name);
    if (!parameter) {
      const known = declared.map((candidate) => candidate.name).join(", ");
      throw new DataError(
        `parameter ${name} is not declared; ${known === "" ? "the notebook has no cell tagged parameters" : `allowed: ${known}`}`,
      );
    }
    return { parameter, value, literal: parameterLiteral(value, parameter) };
  });
  const cells = notebook.cells.filter((cell) => !tagsOf(cell).includes("injected-parameters"));
  if (settings.length > 0) {
    const place = cells.findIndex((cell) => tagsOf(cell).includes("parameters"));
    const injected: CodeCell = {
      cell_type: "code",
      execution_count: null,
      id: "injected-parameters",
      metadata: { tags: ["injected-parameters"] },
      outputs: [],
      source: settings.map(({ parameter, literal }) => `const ${parameter.name} = ${literal};`).join("\n"),
    };
    cells.splice(place + 1, 0, injected);
  }
  const check = async (kernel: KernelProcess): Promise<void> => {
    for (const { parameter, value, literal } of settings) {
      // `let` widens the literal type 5 of `const bins = 5` to number and keeps a declared union.
      const reply = await kernel.execute(
        {
          code: `{ let declared = ${parameter.name}; declared = ${literal}; }`,
          silent: true,
          store_history: false,
        },
        () => undefined,
        CHECK_TIMEOUT_MS,
      );
      if (reply.content["status"] !== "ok") {
        throw new DataError(
          `parameter ${parameter.name}: ${String(reply.content["evalue"])} ` +
            `Given ${JSON.stringify(value)}, the notebook declares ${parameter.name} = ${parameter.initial}`,
        );
      }
    }
  };
  return { notebook: { ...notebook, cells }, check };
}
