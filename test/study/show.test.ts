import { createRequire } from "node:module";
import { inspect } from "node:util";
import { table } from "arquero";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  check,
  decileFigure,
  type MimeBundle,
  markdown,
  revenueDeciles,
  type Showable,
  type ShowOptions,
  show,
} from "../../src/index.js";

function shown(content: Showable, options: ShowOptions = {}): MimeBundle {
  const bundles: MimeBundle[] = [];
  show(content, { ...options, sink: (bundle) => bundles.push(bundle) });
  expect(bundles).toHaveLength(1);
  return bundles[0] ?? {};
}

const text = (bundle: MimeBundle): string => String(bundle["text/plain"]);
const html = (bundle: MimeBundle): string => String(bundle["text/html"]);

describe("show a figure", () => {
  const figure = decileFigure(revenueDeciles(Array.from({ length: 50 }, (_, i) => i + 1)));

  it("gives Plotly's form and a description in words", () => {
    const bundle = shown(figure);
    expect(Object.keys(bundle)).toEqual(["application/vnd.plotly.v1+json", "text/plain"]);
    expect(bundle["application/vnd.plotly.v1+json"]).toEqual(figure);
    expect(text(bundle)).toBe(
      "Figure: The top 10% of customers bring 19% of revenue\n" +
        "2 traces: share of revenue (bar, 10 points); running total (scatter, 10 points)",
    );
  });
});

describe("show a table", () => {
  const people = table({
    customer_key: [1001, 22],
    email: ["a@example.org", "b@example.org"],
    product_name: ["Espresso <1 kg>", "Filter & more"],
    revenue: [12345.5, -7],
    revenue_share: [0.9994, 0.0006],
    orders: [3n, null],
    joined: [new Date("2025-01-31"), new Date("2025-02-01T12:30:00Z")],
  });

  it("aligns, formats and escapes", () => {
    expect(
      text(
        shown(people, {
          caption: "Customers",
          columns: { revenue: { unit: "EUR" }, orders: { label: "n" } },
        }),
      ),
    ).toBe(
      [
        "Customers",
        "customer_key  email  product_name     revenue (EUR)  revenue_share  n  joined",
        "        1001  •••    Espresso <1 kg>      12,345.50          99.9%  3  2025-01-31",
        "          22  •••    Filter & more            -7.00           0.1%     2025-02-01T12:30:00.000Z",
      ].join("\n"),
    );
    const page = html(shown(people));
    expect(page).toContain("Espresso &lt;1 kg&gt;");
    expect(page).toContain('<td style="text-align:right">12,345.50</td>');
    expect(page).not.toContain("<1 kg>");
  });

  it("shows at most so many rows and says how many there are", () => {
    const long = table({ i: Array.from({ length: 4012 }, (_, i) => i) });
    expect(text(shown(long)).split("\n")[0]).toBe("20 of 4,012 rows");
    expect(html(shown(long, { rows: 2, caption: "a < b" }))).toContain(
      '<caption style="text-align:left">a &lt; b · 2 of 4,012 rows</caption>',
    );
    expect(html(shown(long, { rows: 2 })).match(/<tr>/g)).toHaveLength(3);
    expect(text(shown(table({ i: [] as number[] })))).toBe("i");
  });

  it("masks people by default, more on request, and reveals on request only", () => {
    const all = table({
      name: ["Ada"],
      last_name: ["L"],
      phone: ["1"],
      mobile_phone: ["2"],
      e_mail: ["x"],
      customer_id: ["c7"],
      channel_name: ["web"],
    });
    expect(text(shown(all)).split("\n")[1]?.match(/•••/g)).toHaveLength(5);
    expect(text(shown(all))).toContain("c7");
    expect(text(shown(all))).toContain("web");
    expect(html(shown(all, { mask: ["customer_id"], reveal: ["name"] }))).toContain("Ada");
    expect(html(shown(all, { mask: ["customer_id"] }))).not.toContain("c7");
  });

  it("rejects options for columns that do not exist", () => {
    expect(() => shown(people, { mask: ["mail"] })).toThrow(
      /^show: there is no column mail, the columns are customer_key, /,
    );
    expect(() => shown(people, { rows: 0 })).toThrow(
      new RangeError("rows must be a whole number of at least 1, got 0"),
    );
  });
});

describe("show text and markdown", () => {
  it("passes text on, and shows inserted values as they are", () => {
    expect(shown("42 customers")).toEqual({ "text/plain": "42 customers" });
    const bundle = shown(markdown`Serve **${"<b>A*</b>"}** & ${1200.5}`);
    expect(bundle).toEqual({
      "text/markdown": "Serve **&lt;b&gt;A\\*&lt;/b&gt;** & 1200.5",
      "text/plain": "Serve <b>A*</b> & 1200.5",
    });
  });

  it("shows a check and rejects everything else", () => {
    expect(text(shown(check(1, { expected: 1, hint: "" })))).toBe("✓ Right: 1 (number)");
    expect(() => shown({} as Showable)).toThrow(
      "show takes a figure, a table, a text, markdown or a check, got object",
    );
  });

  it("prints as plain text when it is the last expression of a cell", () => {
    expect(inspect(markdown`**${1}** day`)).toBe("1 day");
  });
});

describe("where show writes", () => {
  afterEach(() => vi.restoreAllMocks());

  it("prints plain text outside a notebook", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    show("hello");
    expect(log).toHaveBeenCalledWith("hello");
  });

  it("sends one message to the running kernel", () => {
    const { cache } = createRequire(import.meta.url);
    const path = "C:\\notebooks\\node_modules\\tslab\\dist\\jupyter.js";
    const lastWriteDisplayData = vi.fn();
    cache[path] = { exports: { lastWriteDisplayData } } as unknown as NodeJS.Module;
    try {
      show("hello");
    } finally {
      Reflect.deleteProperty(cache, path);
    }
    expect(lastWriteDisplayData.mock.calls).toEqual([
      [{ data: { "text/plain": "hello" }, metadata: {}, transient: {} }, false],
    ]);
  });
});
