/**
 * tslab 1.0.22, mended in memory: nothing on disk changes, every patch point is asserted, so that another tslab
 * fails at start with the name of the point instead of misbehaving later.
 * @module
 */
import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";

/** The only version these patches are for. */
export const TSLAB_VERSION = "1.0.22";

/** Writes what tslab's executor reports: values of last expressions, diagnostics and errors. */
export interface ExecutorConsole {
  log(value: unknown): void;
  error(...values: unknown[]): void;
}

/** The part of tslab's executor that is used here. */
export interface Executor {
  execute(source: string): Promise<boolean>;
  inspect(source: string, position: number): unknown;
  complete(source: string, position: number): { start: number; end: number; candidates: string[] };
  interrupt(): void;
  close(): void;
}

/** What the patched code tells us while it works. */
export interface TslabHooks {
  /** Name under which the running cell is compiled, seen in stack traces. */
  cellFileName: () => string;
  /** Source maps of the running cell: TypeScript to ES module, then ES module to CommonJS. */
  sourceMap: (step: "typescript" | "commonjs", json: string) => void;
}

/** tslab's parts, loaded with the patches applied. */
export interface Tslab {
  createExecutor(console: ExecutorConsole): Executor;
  isCompleteCode(source: string): { completed: boolean; indent?: string };
  printQuickInfo(info: unknown): string;
  /** tslab's display functions write through this. */
  setDisplayWriter(write: (data: DisplayData, update: boolean) => void): void;
}

/** A display as tslab's public functions and `show` hand it over. */
export interface DisplayData {
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  readonly transient?: { readonly display_id?: string | undefined };
}

/** One place in tslab's source and what stands there instead. */
export interface Patch {
  readonly name: string;
  readonly find: string;
  readonly replace: string;
}

const HOOKS = "clientele.tslab";
/** Name of this package, which every notebook can import. */
const PACKAGE = "clientele";

/**
 * The patches of tslab's `converter.js` for a project root and the notebook's folder. Where that folder has no
 * `clientele`, the compiler finds in its `node_modules` what stands in `lender`'s, so that types keep short names.
 */
export function converterPatches(root: string, cwd: string, lender?: string): readonly Patch[] {
  const hooks = `globalThis[Symbol.for("${HOOKS}")]`;
  const folder = JSON.stringify(relative(root, cwd).split(sep).join("/"));
  const projectRoot = JSON.stringify(root.split(sep).join("/"));
  const normalizeJoin = "(0, tspath_1.normalizeJoin)";
  return [
    {
      name: "rootDir: imports from anywhere in the project",
      find: "rootDir: cwd,",
      replace: `rootDir: ${projectRoot}, sourceMap: true, types: ["node"],`,
    },
    {
      name: "output name under the project root",
      find: `const dstFilename = ${normalizeJoin}(outDir, "__tslab__.js");`,
      replace: `const dstFilename = ${normalizeJoin}(outDir, ${folder}, "__tslab__.js");`,
    },
    {
      name: "declaration name under the project root",
      find: `const dstDeclFilename = ${normalizeJoin}(outDir, "__tslab__.d.ts");`,
      replace: `const dstDeclFilename = ${normalizeJoin}(outDir, ${folder}, "__tslab__.d.ts");`,
    },
    {
      name: "place of compiled local modules",
      find: `path: ${normalizeJoin}(cwd, rel),`,
      replace: `path: ${normalizeJoin}(${projectRoot}, rel),`,
    },
    {
      name: "type errors of local modules",
      find: "const rel = path_1.default.relative(cwd, d.file.fileName);",
      replace: `const rel = path_1.default.relative(${projectRoot}, d.file.fileName);`,
    },
    {
      name: "packages lent to folders that have none",
      find: "function forwardTslabPath(cwd, path) {",
      replace: `function forwardTslabPath(cwd, path) {
          const lender = ${JSON.stringify(lender?.split(sep).join("/") ?? null)};
          const own = ${normalizeJoin}(cwd, "node_modules") + "/";
          if (lender && path.startsWith(own) && !path.startsWith(own + "tslab/") && !ts.sys.fileExists(path)) {
              const name = path.slice(own.length);
              if (name.startsWith("${PACKAGE}/node_modules")) return path; // one place for each package
              return name === "${PACKAGE}" || name.startsWith("${PACKAGE}/")
                  ? ${normalizeJoin}(lender, name.slice("${PACKAGE}".length))
                  : ${normalizeJoin}(lender, "node_modules", name);
          }`,
    },
    {
      name: "shorthand properties of variables from earlier cells, and names of properties taken out of them",
      find: "function wrapPrevIdentifier(node) {\n            var _a, _b;",
      replace: `function wrapPrevIdentifier(node) {
            var _a, _b;
            const { parent } = ts.getOriginalNode(node);
            if (parent && ts.isBindingElement(parent) && parent.propertyName === ts.getOriginalNode(node)) return node;
            if (ts.isShorthandPropertyAssignment(node)) {
              const value = checker.getShorthandAssignmentValueSymbol(ts.getOriginalNode(node));
              const earlier = value?.declarations?.some((decl) => decl.getSourceFile() === declsFile);
              return !earlier ? node : ts.factory.createPropertyAssignment(
                node.name,
                ts.factory.createPropertyAccessExpression(ts.factory.createIdentifier("exports"), node.name),
              );
            }`,
    },
    {
      name: "source map of a cell",
      find: 'if (!fileName.endsWith(".js")) {',
      replace: `if (fileName === dstFilename + ".map") { ${hooks}.sourceMap("typescript", data); }
                if (!fileName.endsWith(".js")) {`,
    },
    {
      name: "source map of the second compilation: option",
      find: `module: ts.ModuleKind.CommonJS,
            esModuleInterop: true,`,
      replace: `module: ts.ModuleKind.CommonJS, sourceMap: true,
            esModuleInterop: true,`,
    },
    {
      name: "source map of the second compilation: result",
      find: "}).outputText;\n    return out;",
      replace: `});\n    ${hooks}.sourceMap("commonjs", out.sourceMapText);\n    return out.outputText;`,
    },
  ];
}

/** The patches of tslab's `executor.js`. */
export const EXECUTOR_PATCHES: readonly Patch[] = [
  {
    name: "file name of a cell in stack traces",
    find: "breakOnSigint: true,",
    replace: `breakOnSigint: true, filename: globalThis[Symbol.for("${HOOKS}")].cellFileName(),`,
  },
];

/**
 * The source with every patch applied.
 * @throws Error naming the file and the patch if a patch point is missing or stands there more than once.
 */
export function applyPatches(source: string, patches: readonly Patch[], file: string): string {
  return patches.reduce((text, { name, find, replace }) => {
    const places = text.split(find).length - 1;
    if (places !== 1) {
      throw new Error(
        `tslab is not the version this launcher mends (${TSLAB_VERSION}): in ${file} the place of the patch ` +
          `"${name}" was found ${String(places)} times instead of once. Install tslab@${TSLAB_VERSION}.`,
      );
    }
    return text.replace(find, () => replace);
  }, source);
}

interface CommonJsModule {
  _compile(source: string, fileName: string): void;
}
interface ModuleInternals {
  _extensions: Record<string, (module: CommonJsModule, fileName: string) => void>;
  _resolveFilename: (
    request: string,
    parent: unknown,
    isMain?: boolean,
    options?: { paths?: string[] },
  ) => string;
}
const internals = Module as unknown as ModuleInternals;

function patchOnLoad(patches: Readonly<Record<string, readonly Patch[]>>): void {
  const load = internals._extensions[".js"];
  if (!load) throw new Error("this Node has no CommonJS loader to patch tslab in");
  internals._extensions[".js"] = (module, fileName) => {
    const wanted = patches[fileName];
    if (wanted) module._compile(applyPatches(readFileSync(fileName, "utf8"), wanted, fileName), fileName);
    else load(module, fileName);
  };
}

/** Lets notebooks outside any project import this package and what it depends on. */
function resolveFrom(packageRoot: string): void {
  const resolve = internals._resolveFilename;
  internals._resolveFilename = (request, parent, isMain, options) => {
    try {
      return resolve(request, parent, isMain, options);
    } catch (error) {
      if (request.startsWith(".") || request.startsWith("/")) throw error;
      try {
        return resolve(request, parent, isMain, { paths: [packageRoot] });
      } catch {
        throw error;
      }
    }
  };
}

/** Whether a notebook in this folder finds `clientele` without help. */
function hasPackage(cwd: string): boolean {
  try {
    createRequire(join(cwd, "cell.js")).resolve(`${PACKAGE}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** Version of the TypeScript that tslab brings, read without loading it: that takes seconds. */
export function typescriptVersion(packageRoot: string): string {
  const tslab = createRequire(join(packageRoot, "package.json")).resolve("tslab/package.json");
  const { version } = createRequire(tslab)("@tslab/typescript-for-tslab/package.json") as { version: string };
  return version;
}

/**
 * Loads tslab with the patches.
 * @throws Error if tslab is missing or not the version the patches are for.
 */
export function loadTslab(options: {
  packageRoot: string;
  root: string;
  cwd: string;
  hooks: TslabHooks;
}): Tslab {
  const { packageRoot, root, cwd, hooks } = options;
  const require = createRequire(join(packageRoot, "package.json"));
  const manifestPath = require.resolve("tslab/package.json");
  const manifest = require(manifestPath) as { version: string };
  if (manifest.version !== TSLAB_VERSION) {
    throw new Error(`the launcher needs tslab ${TSLAB_VERSION}, found ${manifest.version}`);
  }
  const dist = join(dirname(manifestPath), "dist");
  patchOnLoad({
    [join(dist, "converter.js")]: converterPatches(root, cwd, hasPackage(cwd) ? undefined : packageRoot),
    [join(dist, "executor.js")]: EXECUTOR_PATCHES,
  });
  resolveFrom(packageRoot);
  (globalThis as Record<symbol, unknown>)[Symbol.for(HOOKS)] = hooks;

  const converter = require(join(dist, "converter.js")) as {
    createConverter(options: object): { close(): void };
    isCompleteCode(source: string): { completed: boolean; indent?: string };
  };
  const executor = require(join(dist, "executor.js")) as {
    createExecutor(root: string, converters: object, console: ExecutorConsole): Executor;
  };
  const inspect = require(join(dist, "inspect.js")) as { printQuickInfo(info: unknown): string };
  const jupyter = require(join(dist, "jupyter.js")) as { lastWriteDisplayData: unknown };
  const node = converter.createConverter({ isJS: false, isBrowser: false });
  const converters = {
    node,
    get browser(): never {
      throw new Error("cells for the browser are not supported; write a figure and show it");
    },
    close: () => {
      node.close();
    },
  };
  return {
    createExecutor: (console) => executor.createExecutor(cwd, converters, console),
    isCompleteCode: (source) => converter.isCompleteCode(source),
    printQuickInfo: (info) => inspect.printQuickInfo(info),
    setDisplayWriter: (write) => {
      jupyter.lastWriteDisplayData = write;
    },
  };
}
