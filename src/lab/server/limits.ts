/** Bounds that keep one mistake (a huge file, a cell that prints for ever) from freezing server or browser. */
export interface Limits {
  /** Largest request body, in bytes. */
  readonly bodyBytes: number;
  /** Largest file that is sent as JSON for viewing or editing, in bytes. */
  readonly fileBytes: number;
  /** Largest websocket message from a browser, in bytes. */
  readonly frameBytes: number;
  /** Characters a cell may print. */
  readonly outputCharacters: number;
  /** Lines a cell may print. */
  readonly outputLines: number;
  /** Displays (figures, tables, updates of them) a cell may send. */
  readonly displays: number;
  /** Size of all displays of a cell together, in characters. */
  readonly displayCharacters: number;
  /** Bytes kept for a browser that lost its connection. */
  readonly replayBytes: number;
  /** Bytes that may wait for a slow browser before output to it is dropped. */
  readonly socketBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 100e6,
  fileBytes: 100e6,
  frameBytes: 32e6,
  outputCharacters: 10e6,
  outputLines: 10_000,
  displays: 10_000,
  displayCharacters: 100e6,
  replayBytes: 32e6,
  socketBytes: 64e6,
};
