import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/core/errors.js";
import {
  misprinted,
  type ProofRow,
  proof,
  proofFigure,
  proofTable,
  publishedAtInferred,
  publishedMaximum,
  publishedNumbers,
  requireProof,
} from "../../src/study/proof.js";

const paper = "Fader & Hardie (2007)";
const one = (text: string, ours: number): ProofRow =>
  publishedNumbers(paper, ["alpha"], text, [ours])[0] as ProofRow;
const verdict = (text: string, ours: number): string => one(text, ours).verdict;
const misprint = { published: ".688", right: ".668", why: "the appendix" };

describe("publishedNumbers", () => {
  it("agrees if ours rounds to the digits printed, and not if it is merely near", () => {
    expect(verdict(".668", 0.66809)).toBe("agrees");
    expect(verdict(".668", 0.66749)).toBe("differs");
    expect(verdict(".668", 0.66851)).toBe("differs");
    expect(verdict(".66", 0.66809)).toBe("differs");
    expect(verdict("-9582.4", -9582.429)).toBe("agrees");
    expect(verdict("-9582.4", 9582.4)).toBe("differs");
    expect(verdict("12,884.2", 12884.158)).toBe("agrees");
    expect(verdict("1.07869e-7", 1.0786896e-7)).toBe("agrees");
    expect(verdict("1.07869e-7", 1.0787e-7)).toBe("differs");
    expect(verdict("288", 288.22)).toBe("agrees");
    expect(verdict("288.", 288.6)).toBe("differs");
    expect(verdict("+4E2", 449)).toBe("agrees");
  });

  it("takes an exact half either way, whatever the binary fraction", () => {
    for (const half of [0.6675, 0.6685]) expect(verdict(".668", half)).toBe("agrees");
    expect(verdict("0.3", 0.35)).toBe("agrees");
    expect(verdict("-9582.4", -9582.45)).toBe("agrees");
    expect(verdict(".668", 0.6685 + 1e-12)).toBe("differs");
  });

  it("holds every number against its own digits: rounding passes, a unit more fails", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 6 }),
        (value, digits) => {
          const text = value.toFixed(digits);
          expect(verdict(text, value)).toBe("agrees");
          expect(verdict(text, Number(text) + 0.51 * 10 ** -digits)).toBe("differs");
          expect(verdict(text, Number(text) - 0.51 * 10 ** -digits)).toBe("differs");
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  it("names what does not fit", () => {
    expect(() => publishedNumbers(paper, ["alpha", "beta"], ".668", [1, 2])).toThrow(
      new RangeError(
        "Fader & Hardie (2007): there must be as many published numbers and values as quantities, got 1 and 2 for 2",
      ),
    );
    for (const text of ["about", "1.2.3", ".", "-", "e5", "3%"]) {
      expect(() => one(text, 1)).toThrow(
        new RangeError(
          `Fader & Hardie (2007): a published number must be written like ".668" or "1,253.1", got "${text}"`,
        ),
      );
    }
    expect(() => one(".668", Number.NaN)).toThrow(
      new RangeError("Fader & Hardie (2007), alpha: ours must be a finite number, got NaN"),
    );
  });
});

describe("a published number that needs a word", () => {
  const outcome = (rows: readonly ProofRow[]): (string | undefined)[] => [rows[0]?.verdict, rows[0]?.note];

  it("is a maximum: ours may be higher, not lower", () => {
    const maximum = (ours: number): unknown =>
      outcome(publishedMaximum(paper, "log-likelihood", "-1611.2", ours));
    expect(maximum(-1611.158)).toEqual(["agrees", ""]);
    expect(maximum(-1611.25)).toEqual(["agrees", ""]);
    expect(maximum(-1611.26)).toEqual(["differs", ""]);
    expect(maximum(-1605)).toEqual(["agrees", "higher than published"]);
  });

  it("is wrong: ours must be the right one, and not the printed one too", () => {
    const corrected = (ours: number): unknown => outcome(misprinted(paper, "alpha", misprint, ours));
    expect(corrected(0.66809)).toEqual(["corrected", "right is .668: the appendix"]);
    expect(corrected(0.688)).toEqual(["differs", "right is .668: the appendix"]);
    expect(corrected(0.67)).toEqual(["differs", "right is .668: the appendix"]);
    const coarse = { ...misprint, published: ".67" };
    expect(outcome(misprinted(paper, "alpha", coarse, 0.66809))).toEqual([
      "differs",
      "not misprinted: right is .668: the appendix",
    ]);
  });

  it("has inputs that are not printed: consistent at best", () => {
    const inferred = (ours: number): unknown =>
      outcome(publishedAtInferred(paper, ["alpha"], ".668", [ours], "estimates inferred"));
    expect(inferred(0.66809)).toEqual(["consistent", "estimates inferred"]);
    expect(inferred(0.6691)).toEqual(["differs", "estimates inferred"]);
  });
});

describe("proof", () => {
  const good = publishedNumbers(paper, ["alpha", "beta"], ".668 3.806", [0.66809, 3.80609]);
  const bad = publishedNumbers(paper, ["alpha"], ".688", [0.66809]);
  const wrong = misprinted(paper, "alpha", misprint, 0.66809);
  const inferred = publishedAtInferred("BTYD", ["P(10)"], "1.07869e-7", [1.0786896e-7], "found");
  const wall = proof("Wall", good, wrong, inferred);

  it("counts verdicts, is frozen and survives JSON", () => {
    expect(wall.counts).toEqual({ agrees: 2, differs: 0, corrected: 1, consistent: 1 });
    expect(proof("Wall", good, bad).counts).toEqual({ agrees: 2, differs: 1, corrected: 0, consistent: 0 });
    expect(wall.rows.map(({ quantity }) => quantity)).toEqual(["alpha", "beta", "alpha", "P(10)"]);
    for (const part of [wall, wall.rows, wall.counts, ...wall.rows]) expect(Object.isFrozen(part)).toBe(true);
    expect(JSON.parse(JSON.stringify(wall))).toEqual({
      title: "Wall",
      rows: wall.rows,
      counts: wall.counts,
    });
    expect(wall.rows[0]).toMatchObject({ published: ".668", ours: 0.66809, tolerance: 0.0005, note: "" });
    expect(wall.rows[2]?.difference).toBeCloseTo(0.00009, 12);
  });

  it("shows a mark and a word for each verdict, and two digits more than printed", () => {
    expect(inspect(wall).replaceAll("\u00a0", " ")).toBe(
      [
        "Wall: 2 agree, 0 differ, 1 corrected, 1 consistent",
        "source                 quantity  published   ours          verdict",
        "Fader & Hardie (2007)  alpha     .668        0.66809       ✓ agrees",
        "                       beta      3.806       3.80609       ✓ agrees",
        "                       alpha     .688        0.66809       ≠ corrected",
        "BTYD                   P(10)     1.07869e-7  1.0786896e-7  ≈ consistent",
        "≠ Fader & Hardie (2007), alpha: right is .668: the appendix",
        "≈ BTYD: found",
      ].join("\n"),
    );
    expect(wall.bundle["text/html"]).toContain("≠\u00a0corrected");
    expect(wall.bundle["text/html"]).toContain("<p>≠ Fader &amp; Hardie (2007), alpha: right is .668");
    expect(proof("Wall", inferred, inferred).bundle["text/plain"]).toMatch(/consistent\n≈ BTYD: found$/);
    expect(proofTable(wall).array("source")).toEqual([paper, paper, paper, "BTYD"]);
    expect(proofTable(wall).array("note")).toEqual(["", "", "right is .668: the appendix", "found"]);
    const plain = proofTable(proof("Wall", good, bad));
    expect(plain.columnNames()).toEqual(["source", "quantity", "published", "ours", "verdict"]);
    expect(plain.array("verdict")).toEqual(["✓ agrees", "✓ agrees", "✗ differs"]);
    expect(proofTable(proof("Wall", publishedNumbers(paper, ["n"], "5e3", [5012]))).get("ours", 0)).toBe(
      "5012",
    );
  });

  it("shows every row, however many, and none", () => {
    const names = Array.from({ length: 60 }, (_, i) => `x${i}`);
    const many = proof(
      "Many",
      publishedNumbers(
        paper,
        names,
        names.map(() => "1").join(" "),
        names.map(() => 1),
      ),
    );
    expect(inspect(many).split("\n")).toHaveLength(62);
    expect(inspect(proof("None"))).toMatch(/^None: 0 agree, 0 differ\n/);
  });

  it("stops where a number differs, and names it", () => {
    expect(requireProof(wall)).toBe(wall);
    expect(() => requireProof(proof("Wall", good, bad, publishedMaximum(paper, "LL", "-1.0", -2)))).toThrow(
      new DataError(
        "Wall: 2 of 4 published numbers differ: Fader & Hardie (2007), alpha: published .688, ours 0.66809; " +
          "Fader & Hardie (2007), LL: published -1.0, ours -2.000",
      ),
    );
  });

  it("draws how far each number is off in units of its last digit", () => {
    const figure = proofFigure([proof("Contracts", good, bad), proof("Any time", inferred)]);
    expect(figure.layout.title.text).toBe("3 of 4 numbers lie within half a unit of the last digit printed");
    expect(figure.data.map(({ name }) => name)).toEqual(["Contracts", "Any time"]);
    expect(figure.data[0]?.["x"]).toEqual([0.09, 0.09, -19.91]);
    expect(figure.data[0]?.["marker"]).toMatchObject({ symbol: ["circle", "circle", "x"] });
    expect(figure.data[0]?.["text"]).toContain("alpha: published .688, ours 0.66809");
    const higher = publishedMaximum(paper, "log-likelihood", "-1611.2", -1605);
    expect(proofFigure([proof("Contracts", good, higher)], { title: "Two" }).data[0]?.["y"]).toHaveLength(2);
    expect(() => proofFigure([proof("None")])).toThrow(
      new DataError("proof figure: at least one published number is needed, got none"),
    );
  });
});
