/** An SVG file imported from TypeScript is its text. */
declare module "*.svg" {
  const text: string;
  export default text;
}
