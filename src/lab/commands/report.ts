/** One notebook's result for a continuous-integration report. */
export interface CaseResult {
  readonly name: string;
  readonly milliseconds: number;
  /** Why it failed, if it did. */
  readonly failure?: string;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
// Characters XML 1.0 does not allow, such as the escape character of coloured output.
const FORBIDDEN = /(?![\t\n\r])\p{Cc}/gu;

const escapeXml = (text: string): string =>
  text.replace(FORBIDDEN, "").replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);

/** The results in JUnit's XML, which CI services read. */
export function junitReport(suite: string, results: readonly CaseResult[]): string {
  const time = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);
  const cases = results.map(({ name, milliseconds, failure }) => {
    const open = `  <testcase name="${escapeXml(name)}" classname="${escapeXml(suite)}" time="${time(milliseconds)}"`;
    if (failure === undefined) return `${open}/>`;
    const message = escapeXml(failure.split("\n")[0] ?? "");
    return `${open}>\n    <failure message="${message}">${escapeXml(failure)}</failure>\n  </testcase>`;
  });
  const failures = results.filter((result) => result.failure !== undefined).length;
  const total = results.reduce((sum, result) => sum + result.milliseconds, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escapeXml(suite)}" tests="${results.length}" failures="${failures}" time="${time(total)}">`,
    ...cases,
    "</testsuite>\n",
  ].join("\n");
}
