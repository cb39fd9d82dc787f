/**
 * Runs a notebook headless: a fresh kernel, every code cell in order, stop at the first error.
 * @module
 */
import { type KernelMessage, type KernelOptions, type KernelProcess, startKernel } from "../kernel/client.js";
import {
  type CodeCell,
  type DisplayOutput,
  type ErrorOutput,
  KERNEL_METADATA,
  type MimeBundle,
  type Notebook,
  type Output,
  type ResultOutput,
  tagsOf,
} from "./format.js";
import { injectParameters, type ParameterValues } from "./parameters.js";

/** Draws a Plotly figure as a static SVG picture. */
export interface StaticRenderer {
  render(figure: unknown): Promise<string>;
}

/** How a notebook is run. */
export interface ExecuteOptions {
  /** Working folder of the kernel: the notebook's own. */
  readonly cwd: string;
  /** Values set after the cell tagged `parameters`, by name, as typed on the command line. */
  readonly parameters?: ParameterValues;
  /** How long one cell may take, in milliseconds. Default: ten minutes. */
  readonly timeoutMs?: number;
  /** Kernel settings; default: the project's launcher. */
  readonly kernel?: Omit<KernelOptions, "cwd" | "signal">;
  /** Adds an `image/svg+xml` picture to every figure. */
  readonly renderer?: StaticRenderer;
  /** Called after every cell. */
  readonly onCell?: (run: CellRun, total: number) => void;
  /** Cancels the run. */
  readonly signal?: AbortSignal;
}

/** One executed cell. */
export interface CellRun {
  /** Number of the cell among all cells of the notebook, from 1. */
  readonly cell: number;
  /** Wall time in milliseconds. */
  readonly milliseconds: number;
  readonly failed: boolean;
}

/** Why a run stopped. */
export interface RunFailure {
  readonly cell: number;
  readonly source: string;
  readonly output: ErrorOutput;
}

/** An executed notebook. */
export interface NotebookRun {
  readonly notebook: Notebook;
  readonly cells: readonly CellRun[];
  readonly failure?: RunFailure;
  readonly startMilliseconds: number;
}

const CELL_TIMEOUT_MS = 600_000;
const INTERRUPT_GRACE_MS = 5_000;
/** A cell's printed text beyond this many characters is left out of the notebook. */
const TEXT_LIMIT = 5_000_000;
const FIGURE_MIME = "application/vnd.plotly.v1+json";

/**
 * Executes a notebook in a fresh kernel and returns it with its new outputs; the notebook given stays unchanged.
 * A failing cell ends the run unless it is tagged `raises-exception`; cells tagged `skip-execution` are left out.
 * @throws DataError if a parameter is unknown or of another type than the notebook declares.
 * @throws Error if the kernel does not start, or the run was cancelled.
 */
export async function executeNotebook(notebook: Notebook, options: ExecuteOptions): Promise<NotebookRun> {
  const { signal } = options;
  const started = performance.now();
  const kernel = await startKernel({ ...options.kernel, cwd: options.cwd, ...(signal && { signal }) });
  const cancel = (): void => void kernel.shutdown();
  signal?.addEventListener("abort", cancel);
  const startMilliseconds = performance.now() - started;
  try {
    const result = await runCells(kernel, notebook, options);
    signal?.throwIfAborted();
    if (options.renderer) await addPictures(result.notebook, options.renderer);
    return { ...result, startMilliseconds };
  } finally {
    signal?.removeEventListener("abort", cancel);
    await kernel.shutdown();
  }
}

async function runCells(
  kernel: KernelProcess,
  source: Notebook,
  options: ExecuteOptions,
): Promise<Omit<NotebookRun, "startMilliseconds">> {
  const { notebook, check } = injectParameters(structuredClone(source), options.parameters ?? {});
  Object.assign(notebook.metadata, structuredClone(KERNEL_METADATA));
  for (const cell of notebook.cells) if (cell.cell_type === "code") clear(cell);
  const total = notebook.cells.filter(isExecutable).length;
  const cells: CellRun[] = [];
  for (const [index, cell] of notebook.cells.entries()) {
    if (!isExecutable(cell)) continue;
    if (options.signal?.aborted === true) break;
    if (tagsOf(cell).includes("injected-parameters")) await check(kernel);
    const started = performance.now();
    const failed = await executeCell(kernel, cell, options.timeoutMs ?? CELL_TIMEOUT_MS);
    const run = { cell: index + 1, milliseconds: performance.now() - started, failed };
    cells.push(run);
    options.onCell?.(run, total);
    const output = cell.outputs.at(-1);
    if (failed && output?.output_type === "error" && !tagsOf(cell).includes("raises-exception")) {
      return { notebook, cells, failure: { cell: index + 1, source: cell.source, output } };
    }
  }
  return { notebook, cells };
}

const isExecutable = (cell: Notebook["cells"][number]): cell is CodeCell =>
  cell.cell_type === "code" && cell.source.trim() !== "" && !tagsOf(cell).includes("skip-execution");

function clear(cell: CodeCell): void {
  cell.outputs = [];
  cell.execution_count = null;
  delete cell.metadata["execution"];
}

/** Runs one cell and collects its outputs in it; true if it failed. */
async function executeCell(kernel: KernelProcess, cell: CodeCell, timeoutMs: number): Promise<boolean> {
  const outputs = new OutputCollector();
  try {
    const reply = await runCode(kernel, cell.source, timeoutMs, outputs);
    cell.execution_count = Number(reply.content["execution_count"]);
    cell.outputs = outputs.finish();
    return reply.content["status"] !== "ok";
  } catch (error) {
    const evalue = error instanceof Error ? error.message : String(error);
    const ename = error instanceof CellTimeout ? "Timeout" : "KernelDied";
    cell.outputs = [
      ...outputs.finish(),
      { output_type: "error", ename, evalue, traceback: [`${ename}: ${evalue}`] },
    ];
    return true;
  }
}

class CellTimeout extends Error {}

/**
 * Executes code and waits until the kernel is idle again, so that no output is missed.
 * @throws CellTimeout, or Error if the kernel dies.
 */
async function runCode(
  kernel: KernelProcess,
  code: string,
  timeoutMs: number,
  outputs: { add(message: KernelMessage): void },
): Promise<KernelMessage> {
  const content = { code, silent: false, store_history: true, allow_stdin: false, stop_on_error: true };
  const timeout = { passed: false };
  let giveUp = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    giveUp = () => {
      reject(
        new CellTimeout(`the cell did not end within ${timeoutMs / 1000} s and could not be interrupted`),
      );
    };
  });
  let grace: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    timeout.passed = true;
    kernel.interrupt();
    grace = setTimeout(giveUp, INTERRUPT_GRACE_MS);
  }, timeoutMs);
  try {
    const reply = await Promise.race([kernel.execute(content, (message) => outputs.add(message)), late]);
    if (timeout.passed) throw new CellTimeout(`the cell did not end within ${timeoutMs / 1000} s`);
    return reply;
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
  }
}

/** Gathers a cell's outputs as Jupyter front ends do: streams joined, updates applied, floods cut. */
class OutputCollector {
  readonly #outputs: Output[] = [];
  readonly #displays = new Map<string, { data: MimeBundle }[]>();
  #characters = 0;
  #cut = 0;

  add({ header, content }: KernelMessage): void {
    switch (header.msg_type) {
      case "stream":
        this.#stream(content["name"] === "stderr" ? "stderr" : "stdout", String(content["text"]));
        break;
      case "display_data":
        this.#remember(content, { output_type: "display_data", ...shown(content) });
        break;
      case "update_display_data":
        this.#update(content);
        break;
      case "execute_result":
        this.#remember(content, {
          output_type: "execute_result",
          ...shown(content),
          execution_count: Number(content["execution_count"]),
        });
        break;
      case "error":
        this.#outputs.push({
          output_type: "error",
          ename: String(content["ename"]),
          evalue: String(content["evalue"]),
          traceback: (content["traceback"] as unknown[]).map(String),
        });
    }
  }

  finish(): Output[] {
    if (this.#cut > 0) {
      const text = `[${this.#cut} more characters were printed and left out]\n`;
      this.#outputs.push({ output_type: "stream", name: "stderr", text });
    }
    return this.#outputs;
  }

  #stream(name: "stdout" | "stderr", text: string): void {
    const kept = text.slice(0, Math.max(0, TEXT_LIMIT - this.#characters));
    this.#characters += text.length;
    this.#cut += text.length - kept.length;
    if (kept === "") return;
    const last = this.#outputs.at(-1);
    if (last?.output_type === "stream" && last.name === name) last.text += kept;
    else this.#outputs.push({ output_type: "stream", name, text: kept });
  }

  #remember(content: Record<string, unknown>, output: DisplayOutput | ResultOutput): void {
    const id = displayId(content);
    if (id !== undefined) this.#displays.set(id, [...(this.#displays.get(id) ?? []), output]);
    this.#outputs.push(output);
  }

  #update(content: Record<string, unknown>): void {
    const outputs = this.#displays.get(displayId(content) ?? "") ?? [];
    for (const output of outputs) output.data = content["data"] as MimeBundle;
  }
}

function shown(content: Record<string, unknown>): { data: MimeBundle; metadata: Record<string, unknown> } {
  return {
    data: content["data"] as MimeBundle,
    metadata: (content["metadata"] ?? {}) as Record<string, unknown>,
  };
}

function displayId(content: Record<string, unknown>): string | undefined {
  const id = (content["transient"] as { display_id?: unknown } | undefined)?.display_id;
  return typeof id === "string" ? id : undefined;
}

/** Adds a static picture to every figure that has none, for readers without Plotly: GitHub, print, mail. */
async function addPictures(notebook: Notebook, renderer: StaticRenderer): Promise<void> {
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    for (const output of cell.outputs) {
      if (output.output_type !== "display_data" && output.output_type !== "execute_result") continue;
      const figure = output.data[FIGURE_MIME];
      if (figure !== undefined)
        output.data["image/svg+xml"] ??= await renderer.render(structuredClone(figure));
    }
  }
}
