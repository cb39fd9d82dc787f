import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvFormat, readCsv } from "../../src/repository/csv.js";
import { scratchFolder } from "./scratch.js";

const { folder, file } = scratchFolder();

async function read(content: string | Uint8Array, format: CsvFormat = {}) {
  const records: { fields: string[]; line: number }[] = [];
  const totals = await readCsv(file("data.csv", content), format, (fields, line) => {
    records.push({ fields: [...fields], line });
  });
  return { ...totals, lines: records.map(({ line }) => line), fields: records.map(({ fields }) => fields) };
}

describe("readCsv", () => {
  it("reads what was written, with the physical line of every record", async () => {
    const field = fc.string({
      unit: fc.constantFrom("a", "ü", "0", " ", ",", ";", '"', "\n", "\r", "€"),
      maxLength: 6,
    });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 });
    const lineEnd = fc.constantFrom("\n", "\r\n");
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.array(lineEnd, { minLength: 8, maxLength: 8 }),
        fc.boolean(),
        async (rows, ends, hasLastEnd) => {
          let content = "";
          const lines: number[] = [];
          for (const [i, row] of rows.entries()) {
            lines.push(content.split("\n").length);
            const isLast = i === rows.length - 1;
            content += row
              .map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
              .join(",");
            if (!isLast || hasLastEnd) content += ends[i] ?? "\n";
          }
          const found = await read(content);
          expect(found.fields).toEqual(rows);
          expect(found.lines).toEqual(lines);
          expect(found.records).toBe(rows.length);
        },
      ),
      { seed: 7, numRuns: 400 },
    );
  });

  it("keeps its place across the megabytes it reads at a time, quotes and umlauts on the edge", async () => {
    const rows: string[] = ["id,note"];
    const expected: number[] = [1];
    let line = 2;
    for (let i = 0; i < 60_000; i++) {
      rows.push(`${i},"Grüße ${"ü".repeat(i % 17)}\nzweite Zeile, ""${i}"""`);
      expected.push(line);
      line += 2;
    }
    const found = await read(rows.join("\r\n"));
    expect(found.records).toBe(60_001);
    expect(found.lines).toEqual(expected);
    for (const i of [0, 20_000, 59_999]) {
      expect(found.fields[i + 1]).toEqual([String(i), `Grüße ${"ü".repeat(i % 17)}\nzweite Zeile, "${i}"`]);
    }
    expect(found.fields.every(([, note], i) => i === 0 || note?.endsWith(`"${i - 1}"`))).toBe(true);
  });

  it("takes a BOM, CRLF, blank lines and a missing last line end", async () => {
    const found = await read("\uFEFFid,name\r\n\r\n1,a\n\n\n2,b");
    expect(found.fields).toEqual([
      ["id", "name"],
      ["1", "a"],
      ["2", "b"],
    ]);
    expect(found.lines).toEqual([1, 3, 6]);
    expect(found.blankLines).toBe(3);
  });

  it("takes a quote inside an unquoted field, and an empty field at the end, as they are", async () => {
    expect((await read('a,b\n5" disc,x"y"\n,\n"",""\n1,')).fields).toEqual([
      ["a", "b"],
      ['5" disc', 'x"y"'],
      ["", ""],
      ["", ""],
      ["1", ""],
    ]);
  });

  it("splits at the delimiter it is told, no other", async () => {
    expect((await read("a;b\n1,5;2\n", { delimiter: ";" })).fields[1]).toEqual(["1,5", "2"]);
    expect((await read("a\tb\n1,5\t2\n", { delimiter: "\t" })).fields[1]).toEqual(["1,5", "2"]);
  });

  it("reads latin-1, with the euro sign of windows-1252, when told so", async () => {
    const bytes = Uint8Array.of(0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72, 0x2c, 0x80, 0x0a); // Müller,€
    expect((await read(bytes, { encoding: "latin-1" })).fields).toEqual([["Müller", "€"]]);
    await expect(read(bytes)).rejects.toThrow(
      `${folder}/data.csv: line 1 is not UTF-8: save the file as UTF-8, or pass encoding: "latin-1" if it comes from an older Windows program`,
    );
  });

  it("names the line of the first byte that is not UTF-8, deep in a file", async () => {
    const good = Buffer.from("Grüße,1\n".repeat(200_000));
    const bad = Buffer.concat([good, Buffer.from([0x4d, 0xfc, 0x0a]), good]);
    await expect(read(bad)).rejects.toThrow("data.csv: line 200001 is not UTF-8");
    await expect(read(Buffer.concat([good, Buffer.from([0xc3])]))).rejects.toThrow(
      "line 200001 is not UTF-8",
    );
  });

  it("names the line where a quote opens that is never closed", async () => {
    await expect(read('id,name\n1,a\n2,"Anna\n3,b\n')).rejects.toThrow(
      "data.csv: the quote opened in line 3 is never closed",
    );
    await expect(read('id,name\n1,"a\nb",")\n3,b\n')).rejects.toThrow(
      /quote opened in line 3 is never closed|closing quote/,
    );
    await expect(read(`id,name\n1,a\n2,"${"x,\n".repeat(6_000_000)}`)).rejects.toThrow(
      "data.csv: the record that starts in line 3 is longer than 16 MB",
    );
  });

  it("refuses text behind a closing quote, with line and field", async () => {
    await expect(read('id,name\n1,"a\nb"c\n')).rejects.toThrow(
      "data.csv: line 3, field 2 has text behind its closing quote: a quote inside a quoted field must be doubled",
    );
  });

  it("refuses what is no CSV file, by name", async () => {
    await expect(read("")).rejects.toThrow("data.csv is empty: it must have a header line and rows");
    await expect(read(Buffer.from("\uFEFFid,name\n", "utf16le"))).rejects.toThrow(
      "data.csv is UTF-16: save it as UTF-8",
    );
    await expect(readCsv(`${folder}/absent.csv`, {}, () => undefined)).rejects.toThrow(
      `${folder}/absent.csv cannot be read: there is no such file`,
    );
    await expect(readCsv(folder, {}, () => undefined)).rejects.toThrow(`${folder} is not a file`);
  });
});
