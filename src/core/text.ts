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

const Z95 = 1.959963984540054; // standard normal quantile of 97.5 %

/** Estimates on a linear scale with standard errors and two-sided p values, by name; undetermined ones have no error. */
export interface EstimatedCoefficients {
  readonly coefficients: Readonly<Record<string, number>>;
  readonly standardErrors: Readonly<Record<string, number>>;
  readonly p: Readonly<Record<string, number>>;
}

/**
 * Aligned lines of coefficients: estimate, standard error, 95% interval (Wald) and p. If `factor` names what exp(coefficient)
 * is, it stands before the interval, and the interval is its own.
 */
export function coefficientLines(
  { coefficients, standardErrors, p }: EstimatedCoefficients,
  { label = "covariate", factor }: { readonly label?: string; readonly factor?: string } = {},
): string[] {
  const scale = factor === undefined ? (value: number): number => value : Math.exp;
  const rows = Object.entries(coefficients).map(([name, value]) => {
    const error = standardErrors[name];
    const point = factor === undefined ? [] : [fourDigits(scale(value))];
    if (error === undefined) return [name, fourDigits(value), "", ...point, "not determined", ""];
    const [low, high] = [scale(value - Z95 * error), scale(value + Z95 * error)];
    return [
      name,
      fourDigits(value),
      fourDigits(error),
      ...point,
      `${fourDigits(low)} to ${fourDigits(high)}`,
      chance(p[name] as number),
    ];
  });
  const head = ["coefficient", "std. error", ...(factor === undefined ? [] : [factor]), "95% interval", "p"];
  return alignedColumns([[label, ...head], ...rows]);
}

/** A chi-square test in a line. */
export const testLine = (
  name: string,
  {
    chiSquare,
    degreesOfFreedom,
    p,
  }: { readonly chiSquare: number; readonly degreesOfFreedom: number; readonly p: number },
): string =>
  `${name} test: chi-squared ${fourDigits(chiSquare)} on ${degreesOfFreedom} ${degreesOfFreedom === 1 ? "degree" : "degrees"} of freedom, p ${chance(p)}`;
