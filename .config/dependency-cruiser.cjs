// The layers of DESIGN: arrows point down only. A sideways edge between domains gets its own line here, with a reason.
const models = "segmentation|migration|clv|retention|acquisition|scoring|crosssell|tradeoff|forecasting";
const decisions = "contact|campaign|strategy";

/** Folder `from` (a pattern) may import these folders only, and itself. */
const layer = (from, allowed) => ({
  name: `layer-${from}`,
  severity: "error",
  from: { path: `^src/(${from})/` },
  to: { path: "^src/", pathNot: [`^src/(${allowed})/`, "^src/$1/"] },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: { path: "^src" }, to: { circular: true } },
    layer("core", "core"),
    layer("numeric", "core"),
    layer("privacy", "core"),
    layer("repository", "core"),
    layer(models, "core|numeric"),
    layer(decisions, `core|numeric|privacy|${models}`),
    layer("samples", "core|numeric|repository"),
    // Figures and study helpers may name the results of everything below them.
    layer("charts", `core|numeric|repository|privacy|${models}|${decisions}`),
    layer("study", `core|numeric|repository|privacy|charts|${models}|${decisions}`),
    // The environment knows nothing of the analytics: they meet in a notebook and on the command line.
    layer("lab", "core"),
    {
      name: "danfojs-in-one-file",
      comment: "the heaviest and least maintained dependency stays replaceable",
      severity: "error",
      from: { path: "^src", pathNot: "^src/repository/danfo\\.ts$" },
      to: { path: "danfojs" },
    },
    {
      name: "files-only-at-the-edges",
      comment: "models get numbers and give numbers",
      severity: "error",
      from: { path: `^src/(core|numeric|privacy|charts|${models}|${decisions})/` },
      to: { path: "^(node:)?fs(/promises)?$" },
    },
    {
      name: "tests-stay-outside",
      severity: "error",
      from: { path: "^src" },
      to: { path: "^test" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|src/lab/ui)" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "types"] },
  },
};
