import type { ColumnTable } from "arquero";
import type { Figure } from "../charts/figure.js";
import { escapeMarkdown } from "./html.js";
import { defaultSink, type MimeBundle, type Renderable, renderable, type Sink } from "./mime.js";
import { type TableView, tableBundle } from "./table-view.js";

/** What `show` can show. */
export type Showable = Figure | ColumnTable | Renderable | string;

/** How to show it, and where to when not in the running notebook. */
export interface ShowOptions extends TableView {
  readonly sink?: Sink;
}

/**
 * Shows a figure, a table, a text, or the result of `markdown` or `check` in the notebook, as one output in several
 * forms: a figure for Plotly, a table as HTML, everything as plain text too. Outside a notebook the plain text is printed.
 *
 * Tables show at most `rows` rows (default 20). Values of columns that name a person (name, email, phone) are masked
 * unless listed in `reveal`; `mask` hides further columns.
 * @throws RangeError if an option names a column that the table does not have, or the value is nothing showable.
 */
export function show(content: Showable, options: ShowOptions = {}): void {
  const { sink = defaultSink(), ...view } = options;
  sink(bundleOf(content, view));
}

function bundleOf(content: Showable, view: TableView): MimeBundle {
  if (typeof content === "string") return { "text/plain": content };
  if (isTable(content)) return tableBundle(content, view);
  if ("bundle" in content) return content.bundle;
  if (isFigure(content)) return figureBundle(content);
  throw new RangeError(`show takes a figure, a table, a text, markdown or a check, got ${typeof content}`);
}

const isTable = (content: object): content is ColumnTable => "columnNames" in content && "numRows" in content;

const isFigure = (content: object): content is Figure => "data" in content && "layout" in content;

/** Plotly figure with a description for readers without a screen and for differences between runs. */
function figureBundle(figure: Figure): MimeBundle {
  const { data, layout } = JSON.parse(JSON.stringify(figure)) as Figure;
  const traces = data.map((trace) => `${trace.name ?? "unnamed"} (${trace.type}, ${pointsOf(trace)} points)`);
  const title = layout.title.text.replaceAll("<br>", " ");
  return {
    "application/vnd.plotly.v1+json": { data, layout },
    "text/plain": `Figure: ${title}\n${traces.length} ${traces.length === 1 ? "trace" : "traces"}: ${traces.join("; ")}`,
  };
}

function pointsOf(trace: Figure["data"][number]): number {
  const lengths = [trace["x"], trace["y"]].filter(Array.isArray).map((values) => values.length);
  const grid = trace["z"];
  return Array.isArray(grid) ? grid.flat().length : Math.max(0, ...lengths);
}

/**
 * Markdown whose inserted values are shown as they are: markdown`Serve **${count}** customers`. Text from the data
 * can neither break the layout nor bring in HTML.
 */
export function markdown(parts: TemplateStringsArray, ...values: readonly (string | number)[]): Renderable {
  const join = (write: (value: string) => string): string =>
    parts.map((part, index) => part + (index < values.length ? write(String(values[index])) : "")).join("");
  return renderable(
    {},
    { "text/markdown": join(escapeMarkdown), "text/plain": join((value) => value).replaceAll("**", "") },
  );
}
