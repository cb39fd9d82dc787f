export type { Figure, Layout, Trace } from "./charts/figure.js";
export { ConvergenceError, DataError } from "./core/errors.js";
