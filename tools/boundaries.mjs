/**
 * Checks the import directions. dependency-cruiser ends with the number of violations as its exit code, of
 * which a process keeps eight bits: 256 of them would pass. So what it says counts as well.
 *
 *     node tools/boundaries.mjs libs apps e2e bench chaos
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const modules = join(import.meta.dirname, "../node_modules");
const program = join(modules, "dependency-cruiser/bin/dependency-cruise.mjs");
const args = [program, "--config", ".dependency-cruiser.cjs", ...process.argv.slice(2)];
const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = status === 0 && stdout.includes("no dependency violations found") ? 0 : 1;
