import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { DataError } from "../core/errors.js";

/** How a CSV file is written. Nothing of it is ever guessed. */
export interface CsvFormat {
  /** Character between fields. Default: a comma. */
  readonly delimiter?: "," | ";" | "\t" | "|";
  /** Character set. "latin-1" is read as its superset windows-1252, the one in use. Default: UTF-8, BOM allowed. */
  readonly encoding?: "utf-8" | "latin-1";
}

/**
 * Takes one record: its fields and the physical line it starts on, the first line of the file being 1. The array is reused
 * for the next record: copy what is to stay.
 */
export type TakeRecord = (fields: readonly string[], line: number) => void;

/** What was seen beside the records. */
export interface CsvTotals {
  readonly records: number;
  readonly blankLines: number;
}

/**
 * Reads a CSV file (RFC 4180: quotes around a field, doubled inside it, line breaks within quotes; LF or CRLF), record by
 * record, with memory for about one megabyte. A quote inside an unquoted field is an ordinary character.
 * @throws DataError naming file and line: no such file, empty, not UTF-8, UTF-16, an unclosed quote, text behind a
 * closing quote, a lone CR as line end.
 */
export async function readCsv(path: string, format: CsvFormat, take: TakeRecord): Promise<CsvTotals> {
  const scanner = csvScanner(path, format.delimiter ?? ",", take);
  const decode = decoder(path, format.encoding ?? "utf-8");
  await requireFile(path);
  let rest: Buffer | undefined;
  let isFirst = true;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (isFirst) refuseUtf16(path, chunk);
    isFirst = false;
    const bytes: Buffer = rest ? Buffer.concat([rest, chunk]) : chunk;
    const end = bytes.lastIndexOf(LF) + 1; // whole lines only: no character is cut in two
    if (end > 0) scanner.push(decode(bytes.subarray(0, end)));
    rest = bytes.subarray(end);
    if (rest.length > longestRecord) throw tooLong(path, scanner.line);
  }
  if (isFirst) throw new DataError(`${path} is empty: it must have a header line and rows`);
  if (rest && rest.length > 0) scanner.push(decode(rest));
  return scanner.end();
}

const LF = 10;
const CR = 13;
const QUOTE = 34;
const longestRecord = 16 * 1024 * 1024;

interface Scanner {
  /** Line the next record starts on. */
  readonly line: number;
  push(text: string): void;
  end(): CsvTotals;
}

/** Splits text into records. Text arrives in pieces that end with a line break, but for the last. */
function csvScanner(path: string, delimiter: string, take: TakeRecord): Scanner {
  const comma = delimiter.charCodeAt(0);
  const fields: string[] = [];
  let waiting = ""; // a record whose quotes are still open
  let line = 1;
  let records = 0;
  let blankLines = 0;
  let openQuoteLine: number | undefined;

  function finish(nextLine: number): void {
    if (fields.length === 1 && fields[0] === "") blankLines++;
    else {
      records++;
      take(fields, line);
    }
    fields.length = 0;
    line = nextLine;
  }

  function push(piece: string): void {
    const text = waiting + piece;
    let recordStart = 0;
    let at = 0;
    let breaks = 0; // line breaks within the quotes of this record
    while (at < text.length) {
      let field: string;
      if (text.charCodeAt(at) === QUOTE) {
        const close = closingQuote(text, at);
        if (close === -1) {
          waiting = text.slice(recordStart);
          openQuoteLine = line + breaks;
          if (waiting.length > longestRecord) throw tooLong(path, openQuoteLine);
          fields.length = 0;
          return;
        }
        field = text.slice(at + 1, close);
        if (field.includes("\n")) breaks += field.split("\n").length - 1;
        if (field.includes('"')) field = field.replaceAll('""', '"');
        at = close + 1;
        const next = text.charCodeAt(at);
        const ends =
          at === text.length ||
          next === comma ||
          next === LF ||
          (next === CR && text.charCodeAt(at + 1) === LF);
        if (!ends) {
          throw new DataError(
            `${path}: line ${line + breaks}, field ${fields.length + 1} has text behind its closing quote: a quote inside a quoted field must be doubled`,
          );
        }
        if (next === CR) at++;
      } else {
        const start = at;
        let code = text.charCodeAt(at);
        while (code !== comma && code !== LF && at < text.length) code = text.charCodeAt(++at);
        const end = code === LF && at > start && text.charCodeAt(at - 1) === CR ? at - 1 : at;
        field = text.slice(start, end);
      }
      fields.push(field);
      const isLineEnd = at >= text.length || text.charCodeAt(at) === LF;
      if (isLineEnd) {
        finish(line + breaks + 1);
        breaks = 0;
        recordStart = at + 1;
      } else if (at + 1 === text.length) {
        fields.push(""); // the file ends with a delimiter
        finish(line + breaks + 1);
      }
      at++;
    }
    waiting = "";
    openQuoteLine = undefined;
  }

  return {
    get line() {
      return line;
    },
    push,
    end() {
      if (openQuoteLine !== undefined) {
        throw new DataError(`${path}: the quote opened in line ${openQuoteLine} is never closed`);
      }
      return { records, blankLines };
    },
  };
}

/** Place of the quote that closes the one at `open`, or -1. */
function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at !== -1 && text.charCodeAt(at + 1) === QUOTE) at = text.indexOf('"', at + 2);
  return at;
}

/** Turns whole lines of bytes into text; names the first line that is not in the character set. */
function decoder(path: string, encoding: "utf-8" | "latin-1"): (bytes: Buffer) => string {
  let linesBefore = 0;
  let isStart = true;
  return (bytes) => {
    if (encoding === "utf-8" && !isUtf8(bytes)) throw notUtf8(path, bytes, linesBefore);
    linesBefore += countLines(bytes);
    const text = encoding === "utf-8" ? bytes.toString("utf8") : fromWindows1252(bytes);
    const hasMark = isStart && text.startsWith("\uFEFF");
    isStart = false;
    return hasMark ? text.slice(1) : text;
  };
}

/** Text of windows-1252: latin-1, but with letters and signs where that has control codes. */
function fromWindows1252(bytes: Buffer): string {
  // Not TextDecoder: on Node 20 it leaves these bytes as control codes.
  return bytes
    .toString("latin1")
    .replace(/[\x80-\x9f]/g, (code) => windows1252.charAt(code.charCodeAt(0) - 0x80));
}

/** What the bytes 0x80 to 0x9f mean; the five that mean nothing stay themselves. */
const windows1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

function notUtf8(path: string, bytes: Buffer, linesBefore: number): DataError {
  let line = linesBefore + 1;
  let start = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
    line++;
  }
  return new DataError(
    `${path}: line ${line} is not UTF-8: save the file as UTF-8, or pass encoding: "latin-1" if it comes from an older Windows program`,
  );
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}

function refuseUtf16(path: string, bytes: Buffer): void {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new DataError(`${path} is UTF-16: save it as UTF-8`);
  }
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw new DataError(`${path} cannot be read: there is no such file`, { cause: error });
  });
  if (!found.isFile()) throw new DataError(`${path} is not a file`);
}

const tooLong = (path: string, line: number): DataError =>
  new DataError(
    `${path}: the record that starts in line ${line} is longer than 16 MB: is a quote left open, or are lines ended by CR alone?`,
  );
