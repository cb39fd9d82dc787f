/** Four significant digits; powers of ten only where zeros would fill the line. */
export function fourDigits(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(3);
  return size >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}

/** A p-value to three decimals. */
export const chance = (p: number): string => (p < 0.001 ? "<0.001" : p.toFixed(3));

/** Columns of text: the first to the left, the others to the right. */
export function alignedColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[column] as number) : text.padStart(widths[column] as number),
      )
      .join("  ")
      .trimEnd(),
  );
}
