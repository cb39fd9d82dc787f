/**
 * What the tests use of two libraries whose own declarations the compiler does not find.
 */
declare module "cephes" {
  const cephes: {
    readonly compiled: Promise<void>;
    readonly lgam: (x: number) => number;
    readonly psi: (x: number) => number;
    readonly zeta: (s: number, x: number) => number;
    readonly lbeta: (a: number, b: number) => number;
    readonly incbet: (a: number, b: number, x: number) => number;
    readonly igam: (a: number, x: number) => number;
    readonly hyp2f1: (a: number, b: number, c: number, z: number) => number;
    readonly ndtri: (p: number) => number;
  };
  export default cephes;
}

declare module "lib-r-math.js" {
  export function lgamma(x: number): number;
  export function digamma(x: number): number;
  export function trigamma(x: number): number;
  export function lbeta(a: number, b: number): number;
  export function pbeta(x: number, a: number, b: number): number;
  export function pgamma(x: number, shape: number): number;
  export function qnorm(p: number): number;
}
