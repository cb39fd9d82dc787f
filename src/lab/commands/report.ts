import { escapeMarkup } from "../../core/markup.js";

/** One notebook's result for a continuous-integration report. */
export interface CaseResult {
  readonly name: string;
  readonly milliseconds: number;
  /** Why it failed, if it did. */
  readonly failure?: string;
}

/** The results in JUnit's XML, which CI services read. */
export function junitReport(suite: string, results: readonly CaseResult[]): string {
  const time = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);
  const cases = results.map(({ name, milliseconds, failure }) => {
    const open = `  <testcase name="${escapeMarkup(name)}" classname="${escapeMarkup(suite)}" time="${time(milliseconds)}"`;
    if (failure === undefined) return `${open}/>`;
    const message = escapeMarkup(failure.split("\n")[0] ?? "");
    return `${open}>\n    <failure message="${message}">${escapeMarkup(failure)}</failure>\n  </testcase>`;
  });
  const failures = results.filter((result) => result.failure !== undefined).length;
  const total = results.reduce((sum, result) => sum + result.milliseconds, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escapeMarkup(suite)}" tests="${results.length}" failures="${failures}" time="${time(total)}">`,
    ...cases,
    "</testsuite>\n",
  ].join("\n");
}
