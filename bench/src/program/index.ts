/**
 * What the programs of this package begin with.
 *
 * @example
 * const folder = openScratchFolder("ostinato-bench-");
 * const output = resultsFile("soak-", startedAt);
 */
export { resultsFile } from "./results-file.js";
export { openScratchFolder } from "./scratch-folder.js";
