#!/usr/bin/env node
// Builds the parsers, if their sources changed, and loads the program that feeds them.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname, "../..");
const nx = createRequire(join(root, "package.json")).resolve("nx/bin/nx.js");
const { status, stdout, stderr } = spawnSync(process.execPath, [nx, "build", "@ostinato/chaos"], {
  cwd: root,
  env: { ...process.env, NX_DAEMON: "false", NX_NO_CLOUD: "true", NX_TUI: "false" },
  encoding: "utf8",
});
if (status === 0) {
  await import(pathToFileURL(join(import.meta.dirname, "../dist/fuzz-main.js")).href);
} else {
  process.stderr.write(`fuzz: the build failed:\n${stdout}${stderr}`);
  process.exitCode = 1;
}
