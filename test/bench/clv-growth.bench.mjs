import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bgNbd, paretoNbd, purchaseCells } from "../../dist/index.js";
import { createFigureRenderer } from "../../dist/lab/export/static-svg.js";
import { drawCustomers } from "./customers.mjs";
import { measure } from "./measure.mjs";

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const FIGURE = fileURLToPath(new URL("clv-growth.svg", import.meta.url));

/** How the cost of cells and fits grows with the customers, up to ten million; draws clv-growth.svg beside this file. */
export default async function growthBenchmark() {
  const rows = [];
  for (const size of SIZES) {
    const customers = drawCustomers(size);
    const runs = size > 1_000_000 ? 1 : 3;
    let cells;
    const collapse = () => {
      cells = purchaseCells(customers);
    };
    rows.push({ ...(await measure("cells", size, collapse, { runs })), note: `${cells.x.length} cells` });
    for (const model of [bgNbd, paretoNbd]) {
      const fit = () => model.fit(cells);
      rows.push(await measure(`${model.name}: fit with errors`, size, fit, { runs }));
    }
  }
  const renderer = await createFigureRenderer();
  await writeFile(FIGURE, await renderer.render(figureOf(rows)));
  renderer.close();
  return rows;
}

/** CPU seconds over customers, a line a job, both axes by powers of ten. */
function figureOf(rows) {
  const names = [...new Set(rows.map(({ name }) => name))];
  const last = rows.filter(({ n }) => n === SIZES.at(-1));
  const most = Math.max(...last.map(({ cpuSeconds }) => cpuSeconds)).toFixed(0);
  const axis = (title) => ({ title: { text: title }, type: "log", dtick: 1, gridcolor: "#DDDDDD" });
  return {
    data: names.map((name) => ({
      type: "scatter",
      mode: "lines+markers",
      name,
      x: rows.filter((row) => row.name === name).map(({ n }) => n),
      y: rows.filter((row) => row.name === name).map(({ cpuSeconds }) => cpuSeconds),
    })),
    layout: {
      title: { text: `Ten million customers: at most ${most} s of one processor for a step` },
      xaxis: axis("customers"),
      yaxis: axis("CPU seconds"),
      height: 420,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      margin: { t: 90 },
    },
  };
}
