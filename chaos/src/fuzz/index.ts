/**
 * Parsers under bytes of any kind: inputs are made by chance out of valid ones, those that run code that never ran before
 * are kept, and whatever is no typed refusal and no value that comes back from its own encoding is a fault.
 *
 * @example
 * const watched = await watchCampaign("WorkerMessage", { inputs: 40_000, seed: 1 });
 * if (watched.kind === "finished") watched.result.faults; // [{ what, input }]
 */
export { runCampaign } from "./campaign.js";
export type { CampaignOptions, CampaignResult, Guide } from "./campaign.js";
export { readFuzzOptions, reproducer, tableHead, tableRow } from "./command-line/index.js";
export { Coverage } from "./coverage.js";
export { describeFault } from "./faults.js";
export type { FuzzFault } from "./faults.js";
export { BrokenRule, parserTarget } from "./fuzz-target.js";
export type { FuzzTarget } from "./fuzz-target.js";
export { createTarget, TARGET_NAMES } from "./targets/index.js";
export { watchCampaign } from "./watch.js";
export type { WatchedResult } from "./watch.js";
