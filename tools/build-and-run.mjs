// Builds a package and the program, if their sources changed, and loads a program of the package.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * @param {object} options
 * @param {string} options.name of the command, in messages
 * @param {string} options.folder of the package, such as `bench`
 * @param {string} options.main file in its dist that does the work
 */
export async function buildAndRun({ name, folder, main }) {
  const root = join(import.meta.dirname, "..");
  const nx = createRequire(join(root, "package.json")).resolve("nx/bin/nx.js");
  const build = ["run-many", "-t", "build,stamp", "-p", `@ostinato/${folder},ostinato`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [nx, ...build], {
    cwd: root,
    env: { ...process.env, NX_DAEMON: "false", NX_NO_CLOUD: "true", NX_TUI: "false" },
    encoding: "utf8",
  });
  if (status === 0) {
    await import(pathToFileURL(join(root, folder, "dist", main)).href);
  } else {
    process.stderr.write(`${name}: the build failed:\n${stdout}${stderr}`);
    process.exitCode = 1;
  }
}
