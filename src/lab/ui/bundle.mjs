// Builds the front end from this folder, whose packages must be installed:
//   node bundle.mjs OUTPUT_FOLDER PLOTLY_FILE HASH
// writes static/ (the bundle), themes/, schemas.json and manifest.json, and compressed copies beside the texts.
import { copyFile, cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import rspack from "@rspack/core";
import { configuration } from "./rspack.config.mjs";

const PACKAGES = join(import.meta.dirname, "node_modules");
const SCOPES = ["@jupyter-notebook", "@jupyterlab"];
const TEXT_TYPES = new Set([".css", ".js", ".json", ".svg", ".txt"]);
const WORTH_COMPRESSING = 1024;
/** Key of the icon beside a plugin's settings; Jupyter's logo is a trademark and not shown. */
const SETTING_ICON = "jupyter.lab.setting-icon";

/**
 * @typedef {object} Extension a package of the front end that brings settings or a theme
 * @property {string} name
 * @property {string} version
 * @property {{ schemaDir?: string, themePath?: string }} jupyterlab
 */

const [outputFolder, plotlyFile, hash] = process.argv.slice(2);
if (!outputFolder || !plotlyFile || !hash)
  throw new Error("usage: node bundle.mjs OUTPUT_FOLDER PLOTLY_FILE HASH");
await build(outputFolder, plotlyFile, hash);

/**
 * @param {string} out
 * @param {string} plotly
 * @param {string} hash
 */
async function build(out, plotly, hash) {
  const extensions = await installedExtensions();
  await bundle(join(out, "static"));
  await copyFile(plotly, join(out, "static", "plotly.min.js"));
  for (const extension of extensions) await copyTheme(extension, join(out, "themes"));
  await writeJson(join(out, "schemas.json"), await settingSchemas(extensions));
  await writeJson(join(out, "manifest.json"), {
    notebookVersion: (await readJson(join(PACKAGES, "@jupyter-notebook/application/package.json"))).version,
    builtWith: { rspack: rspack.rspackVersion },
    hash,
  });
  await compressTexts(out);
}

/** @param {string} folder */
async function bundle(folder) {
  const compiler = rspack(configuration(folder));
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  if (stats?.hasErrors()) throw new Error(stats.toString({ preset: "errors-only", colors: false }));
}

/** @returns {Promise<Extension[]>} */
async function installedExtensions() {
  const folders = await Promise.all(
    SCOPES.map(async (scope) =>
      (await readdir(join(PACKAGES, scope))).map((name) => join(PACKAGES, scope, name)),
    ),
  );
  const manifests = await Promise.all(folders.flat().map((folder) => readJson(join(folder, "package.json"))));
  return manifests.filter((manifest) => manifest.jupyterlab?.schemaDir || manifest.jupyterlab?.themePath);
}

/**
 * The settings that each plugin offers, by plugin id, with this front end's own defaults put in.
 * @param {Extension[]} extensions
 */
async function settingSchemas(extensions) {
  const ownDefaults = await readJson(join(import.meta.dirname, "setting-defaults.json"));
  const schemas = {};
  for (const { name, version, jupyterlab } of extensions) {
    if (!jupyterlab.schemaDir) continue;
    const folder = join(PACKAGES, name, jupyterlab.schemaDir);
    for (const file of (await readdir(folder)).sort()) {
      if (!file.endsWith(".json") || file.startsWith("package.json")) continue;
      const id = `${name}:${file.slice(0, -".json".length)}`;
      const schema = withDefaults(await readJson(join(folder, file)), ownDefaults[id]);
      if (schema[SETTING_ICON]?.endsWith(":jupyter")) delete schema[SETTING_ICON];
      schemas[id] = { schema, version };
    }
  }
  return schemas;
}

/**
 * @param {{ properties?: Record<string, object> }} schema
 * @param {Record<string, unknown>} defaults
 */
function withDefaults(schema, defaults = {}) {
  const properties = { ...schema.properties };
  for (const [name, value] of Object.entries(defaults)) {
    if (!(name in properties))
      throw new Error(`setting-defaults.json names "${name}", which is not a setting`);
    properties[name] = { ...properties[name], default: value };
  }
  return { ...schema, properties };
}

/**
 * Copies a theme's style sheets and images; the theme's main sheet becomes `index.css`.
 * @param {Extension} extension
 * @param {string} themesFolder
 */
async function copyTheme({ name, jupyterlab }, themesFolder) {
  if (!jupyterlab.themePath) return;
  const [folder, sheet] = jupyterlab.themePath.split("/");
  const target = join(themesFolder, name);
  await cp(join(PACKAGES, name, folder), target, { recursive: true });
  await rm(join(target, "index.js"), { force: true });
  await rename(join(target, sheet), join(target, "index.css"));
}

/** @param {string} folder */
async function compressTexts(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = entries.filter((entry) => entry.isFile() && TEXT_TYPES.has(extname(entry.name)));
  await Promise.all(texts.map((entry) => compress(join(entry.parentPath, entry.name))));
}

/** @param {string} file */
async function compress(file) {
  const content = await readFile(file);
  if (content.length <= WORTH_COMPRESSING) return;
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
  await Promise.all([
    promisify(gzip)(content).then((packed) => writeFile(`${file}.gz`, packed)),
    promisify(brotliCompress)(content, quality).then((packed) => writeFile(`${file}.br`, packed)),
  ]);
}

/** @param {string} file */
async function readJson(file) {
  return JSON.parse(await readFile(file, "utf8"));
}

/**
 * @param {string} file
 * @param {unknown} value
 */
async function writeJson(file, value) {
  await writeFile(file, JSON.stringify(value));
}
