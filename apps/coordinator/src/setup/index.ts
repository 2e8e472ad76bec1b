/**
 * From a config to a run that can begin.
 *
 * @example
 * const data = await prepareRunData(config, "run.yaml");
 * const run = await createRun({ config, data, path, startedAt });
 */
export { announceEndpoints } from "./announce.js";
export { notesOf } from "./notes.js";
export type { Note } from "./notes.js";
export { createRun, resumeRun } from "./open-run.js";
export type { OpenRun } from "./open-run.js";
export { describeSamples, measuresOf, prepareRunData } from "./run-data.js";
export type { RunData, RunMeasures } from "./run-data.js";
