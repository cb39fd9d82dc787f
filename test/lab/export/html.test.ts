import { JSDOM } from "jsdom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportHtml, type HtmlOptions } from "../../../src/lab/export/html.js";
import { createSanitiser } from "../../../src/lab/export/sanitise.js";
import { createFigureRenderer, type FigureRenderer } from "../../../src/lab/export/static-svg.js";
import type { Notebook } from "../../../src/lab/notebook/format.js";
import { code, display, notebookOf, shownFigure, studyNotebook, studyRecord, text } from "./study.js";

let renderer: FigureRenderer;
beforeAll(async () => {
  renderer = await createFigureRenderer();
});
afterAll(() => renderer.close());

const written = (notebook: Notebook, options: Partial<HtmlOptions> = {}): Promise<string> =>
  exportHtml(notebook, { figures: "static", code: "folded", renderer, ...options });

/** The page of a notebook, as a browser without scripts reads it. */
async function pageOf(notebook: Notebook, options: Partial<HtmlOptions> = {}): Promise<Document> {
  return new JSDOM(await written(notebook, options)).window.document;
}
const shows = async (data: Record<string, unknown>): Promise<Element> => {
  const main = (await pageOf(notebookOf(code("show()", [display(data)])), { code: "hidden" })).querySelector(
    "main",
  );
  if (!main) throw new Error("the page has no main part");
  return main;
};
const all = (root: ParentNode, selector: string): Element[] => Array.from(root.querySelectorAll(selector));
const textsOf = (root: ParentNode, selector: string): string[] =>
  all(root, selector).map((element) => element.textContent.trim());

describe("the page of a study", () => {
  let html: string;
  let page: Document;
  beforeAll(async () => {
    html = await written(studyNotebook(), { provenance: { commit: "7972917", note: "<tested>" } });
    page = new JSDOM(html).window.document;
  });

  it("is under 300 kB with eight static figures, has no script and asks nobody for anything", () => {
    expect(Buffer.byteLength(html)).toBeLessThan(300_000);
    expect(all(page, "figure svg").length).toBe(8);
    expect(all(page, "script, link, iframe, object, embed, [src]:not([src^='data:'])").length).toBe(0);
    expect(html).not.toMatch(/@import|url\(\s*['"]?(?!#)/);
    const policy = page.querySelector("meta[http-equiv='Content-Security-Policy']")?.getAttribute("content");
    expect(policy).toContain("default-src 'none'; script-src 'none'");
  });

  it("is the same in every export", async () => {
    expect(await written(studyNotebook(), { provenance: { commit: "7972917", note: "<tested>" } })).toBe(
      html,
    );
  });

  it("has a language, a title, landmarks, a link past the contents, and one first heading", () => {
    expect(page.documentElement.lang).toBe("en");
    expect(page.title).toBe("Who stays?");
    expect(textsOf(page, "h1")).toEqual(["Who stays?"]);
    expect(page.querySelector("a.skip")?.getAttribute("href")).toBe("#main");
    expect(all(page, "main#main, nav[aria-label]").length).toBe(2);
  });

  it("lists its chapters and their parts, each link with its target", () => {
    expect(textsOf(page, "nav .beside a").slice(0, 3)).toEqual([
      "1. The data",
      "How the data were checked",
      "About the bar",
    ]);
    expect(textsOf(page, "nav .beside a").at(-1)).toBe("Provenance");
    for (const link of all(page, "nav a, a.skip")) {
      expect(
        page.getElementById(decodeURIComponent((link.getAttribute("href") ?? "").slice(1))),
      ).not.toBeNull();
    }
    const ids = all(page, "[id]").map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("writes formulas as MathML and leaves amounts of money alone", () => {
    expect(all(page, "math").length).toBe(2);
    expect(all(page, "math annotation").length).toBe(0);
    expect(page.querySelector(".math math mfrac")).not.toBeNull();
    expect(page.body.textContent).toContain("from $5 to $10 a head");
  });

  it("folds code, and one switch holds the code cells before a result", () => {
    const first = all(page, "details.code")[0];
    expect(first?.hasAttribute("open")).toBe(false);
    expect(first?.textContent).toContain("import { show, study }");
    expect(first?.textContent).toContain('study({ title: "Who stays?" })');
    expect(first?.querySelector(".hljs-keyword")?.textContent).toBe("import");
  });

  it("shows tables with their alignment in a frame that scrolls", () => {
    const table = page.querySelector(".output .scroll > table");
    expect(table?.querySelector("td:last-child")?.getAttribute("style")).toBe("text-align:right");
    expect(table?.querySelector("th:last-child")?.innerHTML).toBe("median_<wbr>recency_<wbr>days");
    expect(table?.parentElement?.getAttribute("aria-label")).toBe("Segments");
  });

  it("shows printed text without terminal colours, parts joined, warnings apart", () => {
    expect(textsOf(page, "pre.stdout")).toEqual(["red and plain"]);
    expect(textsOf(page, "pre.stderr")).toEqual(["a warning <b>"]);
  });

  it("marks exercises and checks and folds what gives the answer away", () => {
    expect(textsOf(page, ".task .badge")).toEqual(["Exercise", "Exercise", "Check"]);
    expect(textsOf(page, "details.solution > summary")).toEqual(["Show solution", "Show the check"]);
    for (const place of all(page, "main *").filter((element) => element.children.length === 0)) {
      if (place.textContent.includes("0.4953"))
        expect(place.closest("details.solution:not([open])")).not.toBeNull();
    }
  });

  it("names each figure", () => {
    expect(page.querySelector("figure")?.getAttribute("aria-label")).toBe("Figure 1: Spend by segment");
    expect(page.querySelector("figure svg")?.getAttribute("role")).toBe("img");
  });

  it("leads from notebook to notebook as page to page", () => {
    expect(page.querySelector("a[href^='02']")?.getAttribute("href")).toBe("02-next-study.html#start");
    expect(page.querySelector("a[href^='https']")?.getAttribute("rel")).toBe("noreferrer");
  });

  it("ends with what it rests on: data, seed, parameters, versions, and the facts of the run", () => {
    const facts = all(page, ".facts tr").map((row) => [
      row.children[0]?.textContent,
      row.children[1]?.textContent,
    ]);
    expect(Object.fromEntries(facts)).toEqual({
      Study: "Who stays?",
      Data: `../data/company/orders.csv, 1,717,520 bytessha256 ${studyRecord.data[0]?.sha256 ?? ""}`,
      Seed: "7",
      Parameters: 'asOf = "2025-06-30"share = 0.2dates = ["2024-01-01","2025-12-31"]',
      Versions: "arquero 8.0.3clientele 0.1.0",
      commit: "7972917",
      note: "<tested>",
    });
    expect(page.body.textContent).not.toContain("facts");
  });
});

describe("options", () => {
  it("leave code out or open", async () => {
    const hidden = await pageOf(studyNotebook(), { code: "hidden" });
    expect(all(hidden, "details.code").every((element) => element.closest("details.solution"))).toBe(true);
    const shown = await pageOf(notebookOf(code("1 + 1")), { code: "shown" });
    expect(shown.querySelector("details.code")?.hasAttribute("open")).toBe(true);
  });

  it("title a notebook without heading", async () => {
    const page = await pageOf(notebookOf(text("Just text.")), { title: "A & B" });
    expect([page.title, ...textsOf(page, "h1")]).toEqual(["A & B", "A & B"]);
    expect((await pageOf(notebookOf(text("Just text.")))).title).toBe("Notebook");
  });

  it("bring Plotly along once, with the figures' JSON and a picture for paper", async () => {
    const html = await written(
      notebookOf(code("a", [shownFigure("bar")]), code("b", [shownFigure("line")])),
      {
        figures: "interactive",
      },
    );
    expect(html.length).toBeGreaterThan(4_000_000);
    const page = new JSDOM(html).window.document;
    expect(all(page, "script:not([type])").length).toBe(2);
    expect(all(page, "figure.interactive > .picture > svg").length).toBe(2);
    const json: unknown = JSON.parse(
      page.querySelector("script[type='application/json']")?.textContent ?? "",
    );
    expect(json).toMatchObject({ data: [{ type: "bar" }], layout: { autosize: true, height: 420 } });
    const policy =
      page.querySelector("meta[http-equiv='Content-Security-Policy']")?.getAttribute("content") ?? "";
    expect(policy.match(/'sha256-[\w+/=]{44}'/g)?.length).toBe(2);
  });

  it("bring no Plotly for a page without figures", async () => {
    expect(
      (await written(notebookOf(text("# Nothing to draw")), { figures: "interactive" })).length,
    ).toBeLessThan(20_000);
  });
});

describe("an output", () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect id="a" width="9" height="9"/></svg>';
  const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

  it("appears in its best form: picture, HTML, Markdown, formula, text", async () => {
    const forms = {
      "image/svg+xml": svg,
      "image/png": png,
      "text/html": "<h5>html</h5>",
      "text/markdown": "*md*",
      "text/latex": "$x$",
      "text/plain": "plain",
    };
    const selectors = ["figure svg", "figure img", ".output h5", ".output em", ".math math", "pre.result"];
    let left: Record<string, unknown> = { ...forms };
    for (const [index, mime] of Object.keys(forms).entries()) {
      const main = await shows(left);
      for (const [other, selector] of selectors.entries())
        expect(all(main, selector).length).toBe(other === index ? 1 : 0);
      const { [mime]: _, ...rest } = left;
      left = rest;
    }
  });

  it("of an unknown type falls back to its text", async () => {
    expect(
      textsOf(await shows({ "application/x-strange": { a: 1 }, "text/plain": "a <strange> thing" }), "pre"),
    ).toEqual(["a <strange> thing"]);
    expect(textsOf(await shows({ "application/x-strange": 1 }), "pre")).toEqual([]);
  });

  it("that cannot be drawn says why, and the page is written all the same", async () => {
    const main = await shows({
      "application/vnd.plotly.v1+json": { data: [{ type: "scattergl", y: [1] }], layout: {} },
    });
    expect(textsOf(main, "figure .failure")[0]).toMatch(/^No static picture: .*scattergl, which needs WebGL/);
  });

  it("with a stored picture shows that one", async () => {
    const main = await shows({
      "application/vnd.plotly.v1+json": { data: [], layout: {} },
      "image/svg+xml": svg,
    });
    expect(main.querySelector("figure svg")?.getAttribute("width")).toBe("9");
  });

  it("of an error shows name, message and trace without terminal codes", async () => {
    const page = await pageOf(
      notebookOf(
        code("fail()", [
          {
            output_type: "error",
            ename: "DataError",
            evalue: "row 2: <n/a>",
            traceback: ["\u001b[1mDataError\u001b[0m", "  at cell [3]:1"],
          },
        ]),
      ),
    );
    expect(textsOf(page, ".failure p")).toEqual(["DataError: row 2: <n/a>"]);
    expect(textsOf(page, ".failure pre")).toEqual(["DataError\n  at cell [3]:1"]);
  });

  it("of a check not tried stands open", async () => {
    const main = await shows({
      "application/vnd.clientele.check+json": { outcome: "not tried" },
      "text/plain": "○ Not tried: …",
    });
    expect(main.querySelector(".outcome.not-tried")?.closest("details")).toBeNull();
  });

  it("written over itself shows its last state", async () => {
    const page = await pageOf(
      notebookOf(code("", [{ output_type: "stream", name: "stdout", text: "10%\r50%\rdone\r\nend\n" }])),
    );
    expect(textsOf(page, "pre.stdout")).toEqual(["done\nend"]);
  });
});

describe("attachments", () => {
  it("are in the page", async () => {
    const cell = {
      ...text("![a chart](attachment:my%20chart.png)"),
      attachments: { "my chart.png": { "image/png": "iVBORw0KGgo=" } },
    };
    const image = (await pageOf(notebookOf(cell))).querySelector("img");
    expect(image?.getAttribute("src")).toBe("data:image/png;base64,iVBORw0KGgo=");
    expect(image?.getAttribute("alt")).toBe("a chart");
  });

  it("that are missing, and images from elsewhere, leave their description", async () => {
    const page = await pageOf(
      notebookOf(text("![a chart](attachment:gone.png) ![spy](https://evil.example/p.png)")),
    );
    expect(page.querySelector("main")?.textContent).toContain(
      "[image not included: a chart] [image not included: spy]",
    );
    expect(page.documentElement.outerHTML).not.toContain("evil.example");
  });
});

describe("hostile input", () => {
  const attacks = [
    "<script>steal()</script>",
    "<img src=x onerror=steal()>",
    "<svg onload=steal()><script>steal()</script><a xlink:href='javascript:steal()'><text>x</text></a></svg>",
    "<a href='javascript:steal()'>x</a><a href='data:text/html,<script>steal()</script>'>y</a>",
    "<a href=' java\nscript:steal()'>x</a>",
    "<iframe src='https://evil.example/'></iframe><object data='https://evil.example/'></object>",
    "<form action='https://evil.example/'><input name=q><button>go</button></form>",
    "<link rel=stylesheet href='https://evil.example/a.css'><style>@import 'https://evil.example/b.css';</style>",
    "<p style=\"background:url('https://evil.example/c.png');position:fixed;inset:0;color:red\">x</p>",
    "<img srcset='https://evil.example/d.png 2x'><video poster='https://evil.example/e.png'></video>",
    "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=steal()&gt;'>",
    "<math href='javascript:steal()'><mi>x</mi></math>",
    "<svg><use href='https://evil.example/f.svg#a'/><image href='https://evil.example/g.png'/><rect fill='url(https://evil.example/h.svg#i)'/></svg>",
    "<svg><animate onbegin=steal() attributeName=x /><foreignObject><img src=x onerror=steal()></foreignObject><style>@import 'https://evil.example/j.css'</style></svg>",
    "</main></body><script>steal()</script>",
    "<div id=main name=main class='skip contents layout'>clobber</div>",
    "<noscript><p title='</noscript><img src=x onerror=steal()>'></noscript>",
  ];
  const harmless = (html: string): void => {
    const page = new JSDOM(html).window.document;
    expect(
      all(
        page,
        "script:not([type='application/json']), iframe, object, embed, form, input, button, link, base, foreignObject, animate",
      ).length,
    ).toBe(0);
    expect(all(page, "style").length).toBe(1);
    expect(all(page, "meta[http-equiv]").length).toBe(1);
    expect(all(page, "#main, [name=main]").length).toBe(1);
    for (const element of all(page, "body, body *")) {
      for (const { name, value } of Array.from(element.attributes)) {
        expect(name).not.toMatch(/^on|^(?:srcset|poster|action|formaction|background)$/);
        expect(value.replace(/\s/g, "")).not.toMatch(/^(?:javascript|data:text)/i);
        const isText =
          ["title", "aria-label"].includes(name) || (name === "href" && element.localName === "a");
        if (!isText) expect(value).not.toContain("evil.example"); // a link may be followed, nothing is fetched
        if (name === "style") expect(value).not.toMatch(/position|inset|url\((?!#)/);
      }
    }
  };

  it("does nothing, wherever it stands", async () => {
    const cells = attacks.flatMap((attack) => [
      text(`# ${attack}\n\n${attack}\n\n[x](${encodeURI(attack)}) [y](<${attack}>)\n\n$${attack}$`),
      code(attack, [
        display({ "text/html": attack }),
        display({ "text/markdown": attack }),
        display({ "text/latex": attack }),
        display({ "image/svg+xml": `<svg xmlns="http://www.w3.org/2000/svg">${attack}<rect/></svg>` }),
        display({ "image/png": attack, "text/plain": attack }),
        display({
          "application/vnd.plotly.v1+json": { data: [], layout: { title: attack } },
          "image/svg+xml": `<svg>${attack}</svg>`,
          "text/plain": attack,
        }),
        display({ "application/vnd.clientele.check+json": { outcome: attack }, "text/plain": attack }),
        display({
          "application/vnd.clientele.study+json": {
            title: attack,
            data: [{ path: attack, sha256: attack }],
            seed: attack,
            parameters: { [attack]: attack },
            versions: { [attack]: attack },
          },
        }),
        { output_type: "stream", name: "stdout", text: attack },
        { output_type: "error", ename: attack, evalue: attack, traceback: [attack] },
      ]),
    ]);
    const facts = Object.fromEntries(attacks.map((attack) => [attack, attack]));
    harmless(await written(notebookOf(...cells), { title: attacks.join(""), provenance: facts }));
  });

  it("lets our own pictures pass as they are", async () => {
    const picture = await renderer.render({
      data: [{ type: "heatmap", z: [[1, 2]], texttemplate: "%{z}" }],
      layout: { title: { text: "A long enough title" } },
    });
    const sanitiser = createSanitiser();
    expect(sanitiser.svg(picture)).toBe(picture);
    sanitiser.close();
  });

  it("cannot end the JSON of an interactive figure", async () => {
    const title = "</script><script>steal()</script><!--<script>";
    const figure = { data: [{ type: "bar", y: [1], name: title }], layout: { title: { text: title } } };
    const html = await written(
      notebookOf(code("", [display({ "application/vnd.plotly.v1+json": figure })])),
      { figures: "interactive" },
    );
    const page = new JSDOM(html).window.document;
    expect(all(page, "script").length).toBe(3);
    expect(JSON.parse(page.querySelector("script[type]")?.textContent ?? "")).toMatchObject({
      data: [{ name: title }],
    });
  });
});
