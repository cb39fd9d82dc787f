import {
  type CodeCell,
  KERNEL_METADATA,
  type Notebook,
  type Output,
  type TextCell,
} from "../../../src/lab/notebook/format.js";
import { figures } from "./figures.js";

/** A markdown cell. */
export const text = (source: string, tags: readonly string[] = []): TextCell => ({
  cell_type: "markdown",
  source,
  metadata: { tags },
});

/** A code cell with its outputs. */
export const code = (
  source: string,
  outputs: readonly Output[] = [],
  tags: readonly string[] = [],
): CodeCell => ({
  cell_type: "code",
  source,
  metadata: { tags },
  outputs: [...outputs],
  execution_count: 1,
});

/** One displayed bundle. */
export const display = (data: Record<string, unknown>): Output => ({
  output_type: "display_data",
  data,
  metadata: {},
});

/** A figure of the kind named, as `show` displays it. */
export function shownFigure(name: string): Output {
  const figure = figures[name];
  if (!figure) throw new Error(`there is no figure ${name}`);
  return display({ "application/vnd.plotly.v1+json": figure, "text/plain": `Figure: ${name}` });
}

/** What `study` shows. */
export const studyRecord = {
  title: "Who stays?",
  data: [{ path: "../data/company/orders.csv", sha256: "ab".repeat(32), bytes: 1717520 }],
  seed: 7,
  parameters: { asOf: "2025-06-30", share: 0.2, dates: ["2024-01-01", "2025-12-31"] },
  versions: { arquero: "8.0.3", clientele: "0.1.0" },
};

const check = (outcome: string, message: string): Output =>
  display({
    "application/vnd.clientele.check+json": { outcome },
    "text/html": `<div style="border-left:4px solid #009E73">${message}</div>`,
    "text/plain": message,
  });

const table = `<table>
<caption style="text-align:left">Segments</caption>
<thead><tr><th style="text-align:left">segment</th><th style="text-align:right">median_recency_days</th></tr></thead>
<tbody><tr><td style="text-align:left">Champions</td><td style="text-align:right">1,234.50</td></tr></tbody>
</table>`;

/** A study of realistic length: every kind of output, formulas, an exercise with solution and check, eight figures. */
export function studyNotebook(): Notebook {
  const kinds = [
    "bar",
    "grouped bar",
    "line",
    "heat map",
    "sankey",
    "waterfall",
    "histogram",
    "stacked area",
  ];
  return {
    cells: [
      text(
        "# Who stays?\n\n**For** heads of service. **Time** 30 minutes to read, 20 minutes for the exercises.\n\n" +
          "**The question.** Some customers leave. Which of them are worth a call?",
      ),
      code('import { show, study } from "clientele";'),
      code('study({ title: "Who stays?" });', [
        display({
          "application/vnd.clientele.study+json": studyRecord,
          "text/html": "<p>facts</p>",
          "text/plain": "facts",
        }),
      ]),
      text(
        "## 1. The data\n\nThe margin multiple is $r / (1 + d - r)$:\n\n$$ m = \\frac{r}{1 + d - r} $$\n\nfrom $5 to $10 a head.",
      ),
      code("show(table)", [display({ "text/html": table, "text/plain": "segment  median" })]),
      code("console.log('hello')", [
        { output_type: "stream", name: "stdout", text: "\u001b[31mred\u001b[0m " },
        { output_type: "stream", name: "stdout", text: "and plain\n" },
        { output_type: "stream", name: "stderr", text: "a warning <b>\n" },
      ]),
      text("### How the data were checked\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [ ] open\n- [x] done"),
      ...kinds.flatMap((kind) => [
        text(`## About the ${kind}\n\nA sentence.`),
        code(`show(${kind.replace(" ", "")})`, [shownFigure(kind)]),
      ]),
      text("## Decision\n\nThe reasons first."),
      code("show(markdown`…`)", [
        display({
          "text/markdown": "**Decision.** Call 632 customers for 3,160 EUR. Then wait.",
          "text/plain": "Decision.",
        }),
      ]),
      text("## Exercises\n\n**Exercise 1.** What is the share?", ["exercise"]),
      code("let answer: number | undefined;", [], ["exercise"]),
      code(
        "answer = shareOfTop(0.1);",
        [
          {
            output_type: "execute_result",
            data: { "text/plain": "0.4953" },
            metadata: {},
            execution_count: 9,
          },
        ],
        ["solution"],
      ),
      code(
        "show(check(answer, { expected: top[0] }))",
        [check("right", "✓ Right: 0.4953 (number)")],
        ["check"],
      ),
      text("### Next\n\n[The next study](02-next-study.ipynb#start) and [the web](https://example.org/)."),
    ],
    metadata: structuredClone(KERNEL_METADATA),
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** A notebook of these cells. */
export const notebookOf = (...cells: Notebook["cells"]): Notebook => ({ ...studyNotebook(), cells });
