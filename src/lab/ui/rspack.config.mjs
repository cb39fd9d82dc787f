// How the front end is bundled. Everything is served from `/static/`; nothing is fetched from elsewhere.
import { createRequire } from "node:module";
import rspack from "@rspack/core";

const require = createRequire(import.meta.url);

/** Files named by their content, so that the server may let the browser keep them. */
const HASHED = "[name].[contenthash:8]";

/**
 * The configuration that writes the bundle to a folder.
 * @param {string} outputFolder
 * @returns {import("@rspack/core").Configuration}
 */
export function configuration(outputFolder) {
  return {
    mode: "production",
    devtool: false,
    target: ["web", "es2022"],
    context: import.meta.dirname,
    entry: { main: "./src/main.ts" },
    output: {
      path: outputFolder,
      publicPath: "/static/",
      filename: "[name].js",
      chunkFilename: `chunks/${HASHED}.js`,
      assetModuleFilename: `assets/${HASHED}[ext]`,
    },
    module: { rules: [typescript, styles, stylesAsText, text, files, icons, iconsOfStyles, loosePaths] },
    resolve: {
      extensions: [".ts", ".js", ".json"],
      extensionAlias: { ".js": [".ts", ".js"] },
      fallback: { buffer: false, crypto: false, path: false, process: false, url: false, util: false },
    },
    plugins: [
      new rspack.CssExtractRspackPlugin({
        filename: "[name].css",
        chunkFilename: `chunks/${HASHED}.css`,
      }),
      new rspack.DefinePlugin({
        "process.cwd": "(() => '/')",
        "process.env": "{}",
        "process.env.NODE_ENV": '"production"',
        process: "undefined",
      }),
    ],
    performance: { hints: false },
  };
}

const typescript = {
  test: /\.ts$/,
  exclude: /node_modules/,
  loader: "builtin:swc-loader",
  options: { jsc: { parser: { syntax: "typescript" }, target: "es2022" } },
};
const styles = {
  test: /(?<!\.raw)\.css$/,
  use: [rspack.CssExtractRspackPlugin.loader, require.resolve("css-loader")],
  type: "javascript/auto",
};
const stylesAsText = { test: /\.raw\.css$/, type: "asset/source" };
const text = { test: /\.(md|txt)$/, type: "asset/source" };
const files = { test: /\.(eot|gif|jpg|otf|png|ttf|woff2?)$/, type: "asset/resource" };
const icons = { test: /\.svg$/, issuer: { not: /\.css$/ }, type: "asset/source" };
const iconsOfStyles = { test: /\.svg$/, issuer: /\.css$/, type: "asset/inline" };
// Some packages import files without naming the extension.
const loosePaths = { test: /\.m?js$/, resolve: { fullySpecified: false } };
