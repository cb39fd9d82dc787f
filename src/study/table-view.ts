import type { ColumnTable } from "arquero";
import { thousands } from "../charts/theme.js";
import { escapeMarkup } from "../core/markup.js";
import type { MimeBundle } from "./mime.js";

/** How one column is written. */
export interface ColumnView {
  /** Heading; default the column's name. */
  readonly label?: string;
  /** Unit, printed in the heading, such as "EUR" or "days". */
  readonly unit?: string;
  /** Digits after the point; default 0 for whole numbers, else 2. */
  readonly digits?: number;
  /** Writes a fraction as percent. Columns whose name ends in `share` or `rate` are written so by default. */
  readonly percent?: boolean;
}

/** How a table is shown. */
export interface TableView {
  readonly caption?: string;
  /** How many rows at most; default 20. */
  readonly rows?: number;
  readonly columns?: Readonly<Record<string, ColumnView>>;
  /** Columns whose values are hidden, beside those named after a name, an e-mail address or a telephone. */
  readonly mask?: readonly string[];
  /** Columns that are shown although their name says that they identify a person. */
  readonly reveal?: readonly string[];
}

const identifying =
  /(^|_)(e?mail|phone|telephone|mobile)(_|$)|^((first|last|full|given|family|customer|person|contact)_?)?name$|^surname$/i;
const keyLike = /(^|_)(id|key|code|year|day|month|score|zip)$/;
const shareLike = /(^|_)(share|rate)$/;
const hidden = "•••";

/** HTML and aligned plain text of a table: values escaped, people masked, at most `rows` rows. */
export function tableBundle(table: ColumnTable, view: TableView = {}): MimeBundle {
  const most = view.rows ?? 20;
  if (!Number.isInteger(most) || most < 1)
    throw new RangeError(`rows must be a whole number of at least 1, got ${most}`);
  requireColumns(table, view);
  const columns = table.columnNames().map((name) => columnText(table, name, view, most));
  const shown = Math.min(most, table.numRows());
  const count = table.numRows() === shown ? "" : `${thousands(shown)} of ${thousands(table.numRows())} rows`;
  return {
    "text/html": html(columns, shown, [view.caption, count]),
    "text/plain": plain(columns, shown, [view.caption, count]),
  };
}

interface ColumnText {
  readonly heading: string;
  readonly cells: readonly string[];
  readonly right: boolean;
}

function requireColumns(table: ColumnTable, { columns = {}, mask = [], reveal = [] }: TableView): void {
  const names = table.columnNames();
  const stranger = [...Object.keys(columns), ...mask, ...reveal].find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw new RangeError(`show: there is no column ${stranger}, the columns are ${names.join(", ")}`);
  }
}

function columnText(table: ColumnTable, name: string, view: TableView, most: number): ColumnText {
  const own = view.columns?.[name] ?? {};
  const label = own.label ?? name;
  const heading = own.unit === undefined ? label : `${label} (${own.unit})`;
  const values = (table.array(name) as readonly unknown[]).slice(0, most);
  const masked = view.mask?.includes(name) || (identifying.test(name) && !view.reveal?.includes(name));
  if (masked) return { heading, cells: Array.from(values, () => hidden), right: false };
  const numeric = values.length > 0 && Array.from(values).every((value) => value == null || isNumber(value));
  const whole =
    numeric && Array.from(values).every((value) => value == null || Number.isInteger(Number(value)));
  const format = formatter(
    { ...own, percent: own.percent ?? (numeric && shareLike.test(name)) },
    whole,
    keyLike.test(name),
  );
  return { heading, cells: Array.from(values, format), right: numeric };
}

const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

function formatter(
  { percent, digits }: ColumnView,
  whole: boolean,
  key: boolean,
): (value: unknown) => string {
  const numberText = (value: number): string => {
    if (!Number.isFinite(value) || (key && whole)) return String(value);
    return percent ? `${thousands(value * 100, digits ?? 1)}%` : thousands(value, digits ?? (whole ? 0 : 2));
  };
  return (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return numberText(value);
    if (typeof value === "bigint") return numberText(Number(value));
    if (value instanceof Date) return dateText(value);
    return typeof value === "string" ? value : JSON.stringify(value);
  };
}

function dateText(value: Date): string {
  if (Number.isNaN(value.getTime())) return "invalid date";
  return value.toISOString().replace(/T00:00:00\.000Z$/, "");
}

function html(columns: readonly ColumnText[], rows: number, notes: readonly (string | undefined)[]): string {
  const align = ({ right }: ColumnText): string => ` style="text-align:${right ? "right" : "left"}"`;
  const heads = columns.map((column) => `<th${align(column)}>${escapeMarkup(column.heading)}</th>`).join("");
  const body = Array.from({ length: rows }, (_, row) => {
    const cells = columns
      .map((column) => `<td${align(column)}>${escapeMarkup(column.cells[row] ?? "")}</td>`)
      .join("");
    return `<tr>${cells}</tr>`;
  });
  const caption = notes
    .filter(Boolean)
    .map((note) => escapeMarkup(note ?? ""))
    .join(" · ");
  return [
    "<table>",
    ...(caption ? [`<caption style="text-align:left">${caption}</caption>`] : []),
    `<thead><tr>${heads}</tr></thead>`,
    "<tbody>",
    ...body,
    "</tbody>",
    "</table>",
  ].join("\n");
}

function plain(columns: readonly ColumnText[], rows: number, notes: readonly (string | undefined)[]): string {
  const padded = columns.map(({ heading, cells, right }) => {
    const width = [heading, ...cells].reduce((most, text) => Math.max(most, text.length), 0);
    return [heading, ...cells].map((text) => (right ? text.padStart(width) : text.padEnd(width)));
  });
  const lines = Array.from({ length: rows + 1 }, (_, row) =>
    padded
      .map((cells) => cells[row] ?? "")
      .join("  ")
      .trimEnd(),
  );
  return [...notes.filter(Boolean), ...lines].join("\n");
}
