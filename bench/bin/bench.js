#!/usr/bin/env node
// Builds what is measured, if its sources changed, and measures.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const mainFile = join(import.meta.dirname, "../dist/main.js");
const root = join(import.meta.dirname, "../..");
const nx = createRequire(join(root, "package.json")).resolve("nx/bin/nx.js");
const build = ["run-many", "-t", "build,stamp", "-p", "@ostinato/bench,ostinato"];
const { status, stdout, stderr } = spawnSync(process.execPath, [nx, ...build], {
  cwd: root,
  env: { ...process.env, NX_DAEMON: "false", NX_NO_CLOUD: "true", NX_TUI: "false" },
  encoding: "utf8",
});
if (status === 0) {
  await import(pathToFileURL(mainFile).href);
} else {
  process.stderr.write(`bench: the build failed:\n${stdout}${stderr}`);
  process.exitCode = 1;
}
