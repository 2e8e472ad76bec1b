/**
 * The import directions of the rooms, in one table. ARCHITECTURE.md says why they are so.
 *
 * Imports are judged by where they lead, type-only ones too: what may not be imported may not be
 * named either. Only cycles look at run-time imports alone, since types form no cycle at run time.
 */
const inPackage = "^((?:libs|apps)/[^/]+|bench|chaos)";
const testFile = "\\.test\\.ts$|/test/";
const tensorCode = [
  "node_modules/@tensorflow/",
  "^libs/kernels/src/tensor/",
  "^libs/lstm/src/model/",
];

/** A door that imports nothing: one table of time-outs for whoever has any (decision 25). */
const timeouts = "^libs/runtime/src/timeouts/index\\.ts$";

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycle",
      comment: "Files that import each other in a ring cannot be understood one at a time.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "libs-import-no-app",
      comment: "Imports go downward only.",
      severity: "error",
      from: { path: "^libs/" },
      to: { path: "^(apps|e2e|bench|chaos)/" },
    },
    {
      name: "nobody-imports-e2e",
      severity: "error",
      from: { path: "^apps/" },
      to: { path: "^(e2e|bench|chaos)/" },
    },
    {
      name: "kernels-data-proto-runtime-stand-alone",
      severity: "error",
      from: { path: "^libs/(kernels|data|proto|runtime)/" },
      to: { path: "^libs/", pathNot: ["^libs/$1/", timeouts] },
    },
    {
      name: "lstm-imports-kernels-alone",
      severity: "error",
      from: { path: "^libs/lstm/" },
      to: { path: "^libs/", pathNot: "^libs/(lstm|kernels)/" },
    },
    {
      name: "run-imports-lstm-and-data-alone",
      severity: "error",
      from: { path: "^libs/run/" },
      to: { path: "^libs/", pathNot: ["^libs/(run|lstm|data)/", timeouts] },
    },
    {
      name: "learning-knows-no-files-and-no-network",
      comment: "lstm and kernels run wherever JavaScript runs.",
      severity: "error",
      from: { path: "^libs/(lstm|kernels)/src/", pathNot: testFile },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "apps-import-no-app",
      comment: "Only the command line composes the two processes.",
      severity: "error",
      from: { path: "^apps/(coordinator|worker)/" },
      to: { path: "^apps/", pathNot: "^apps/$1/" },
    },
    {
      name: "coordinator-loads-no-tensorflow",
      comment: "Reduction, clipping and optimizers work on flat arrays.",
      severity: "error",
      from: { path: "^apps/coordinator/src/" },
      to: { path: tensorCode, reachable: true },
    },
    {
      name: "run-loads-no-tensorflow",
      comment: "The run config needs the light doors only.",
      severity: "error",
      from: { path: "^libs/run/src/" },
      to: { path: tensorCode, reachable: true },
    },
    {
      name: "light-doors-load-no-tensorflow",
      severity: "error",
      from: { path: "^libs/(lstm|kernels)/src/index\\.ts$" },
      to: { path: tensorCode, reachable: true },
    },
    {
      name: "packages-through-their-doors",
      comment:
        "A package is imported by its name and enters by a door that its package.json exports.",
      severity: "error",
      from: { path: `${inPackage}/` },
      to: {
        path: "^(libs|apps)/",
        pathNot: [
          "^$1/",
          "^(libs|apps)/[^/]+/src/index\\.ts$",
          "^libs/kernels/src/tensor/index\\.ts$",
          "^libs/lstm/src/model/index\\.ts$",
          // For a thread, which should not load all of it.
          "^libs/runtime/src/clock/index\\.ts$",
          timeouts,
        ],
      },
    },
    {
      name: "e2e-through-the-doors",
      severity: "error",
      from: { path: "^(e2e|bench|chaos)/" },
      to: {
        path: "^(libs|apps)/",
        pathNot: [
          "^(libs|apps)/[^/]+/src/index\\.ts$",
          "^libs/kernels/src/tensor/index\\.ts$",
          "^libs/lstm/src/model/index\\.ts$",
          timeouts,
        ],
      },
    },
    {
      name: "packages-by-name",
      comment: "A relative path into another package goes around its exports.",
      severity: "error",
      from: { path: `${inPackage}/` },
      to: { path: "^(libs|apps)/", pathNot: "^$1/", dependencyTypes: ["local"] },
    },
    {
      name: "rooms-through-their-doors",
      comment: "One room enters another by its index.ts.",
      severity: "error",
      from: { path: `${inPackage}/src/([^/]+)/` },
      to: { path: "^$1/src/[^/]+/", pathNot: ["^$1/src/$2/", "^$1/src/[^/]+/index\\.ts$"] },
    },
    {
      name: "rooms-through-their-doors-from-above",
      severity: "error",
      from: { path: `${inPackage}/(?:src/[^/]+\\.ts$|bin/)` },
      to: { path: "^$1/src/[^/]+/", pathNot: "^$1/src/[^/]+/index\\.ts$" },
    },
    {
      name: "tests-enter-rooms-through-their-doors",
      comment: "Also a room within a room, whose door the package's own does not show.",
      severity: "error",
      from: { path: `${inPackage}/test/` },
      to: { path: "^$1/src/[^/]+/", pathNot: "^$1/src/.+/index\\.ts$" },
    },
    {
      name: "rooms-within-rooms-through-their-doors",
      comment: "Some rooms have rooms of their own, with the same rule.",
      severity: "error",
      from: { path: "^((?:libs|apps)/[^/]+/src/[^/]+)/([^/]+)/" },
      to: { path: "^$1/[^/]+/", pathNot: ["^$1/$2/", "^$1/[^/]+/index\\.ts$"] },
    },
    {
      name: "rooms-within-rooms-through-their-doors-from-outside",
      severity: "error",
      from: { path: "^((?:libs|apps)/[^/]+/src/[^/]+)/[^/]+\\.ts$" },
      to: { path: "^$1/[^/]+/", pathNot: "^$1/[^/]+/index\\.ts$" },
    },
    {
      name: "not-through-ones-own-front-door",
      comment: "Inside a package, import the file that has the thing.",
      severity: "error",
      from: { path: `${inPackage}/src/`, pathNot: testFile },
      to: { path: "^$1/src/index\\.ts$" },
    },
    {
      name: "main-is-imported-by-the-door-alone",
      severity: "error",
      from: { pathNot: "/src/index\\.ts$|/bin/" },
      to: { path: "^(libs|apps)/[^/]+/src/main\\.ts$" },
    },
    {
      name: "generated-messages-stop-at-the-codec",
      severity: "error",
      from: { pathNot: "^libs/proto/(src/codec|generated)/" },
      to: { path: "^libs/proto/generated/" },
    },
    {
      name: "tests-are-not-imported",
      severity: "error",
      from: { pathNot: testFile },
      to: { path: testFile, pathNot: "node_modules" },
    },
    {
      name: "tests-import-no-test",
      comment: "What two tests share is in the package's test/support.",
      severity: "error",
      from: {},
      to: { path: "\\.test\\.ts$", pathNot: "node_modules" },
    },
    {
      name: "declared-dependencies-only",
      comment: "What the package.json does not list may be missing tomorrow.",
      severity: "error",
      from: { path: `${inPackage}/src/`, pathNot: testFile },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "npm-optional"] },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^((libs|apps)/[^/]+|bench|chaos)/(dist|bundle|coverage|runs)/" },
    tsPreCompilationDeps: true,
    // Everything here is an ES module: a function called `require` is just a function.
    moduleSystems: ["es6"],
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@ostinato/source", "types", "import", "node", "default"],
      extensions: [".ts", ".d.ts", ".js", ".mjs", ".cjs", ".json"],
      mainFields: ["types", "typings", "main"],
    },
  },
};
