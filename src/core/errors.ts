/**
 * Something is wrong with the input data. The message names the place, the value found and what is allowed:
 * `data/orders.csv: amount in row 2 must be a number above 0, got "n/a"`.
 */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** A solver did not settle. The message says what was tried and which simpler model may fit. */
export class ConvergenceError extends Error {
  override readonly name = "ConvergenceError";
}
