/**
 * Lease → batch: the data set (fetched once, kept on disk by its digest), the carried states, and
 * the arrays a lease stands for.
 *
 * @example
 * const bytes = await loadDataset(digest, { directory, fetch: () => client.fetchData(digest), … });
 * const source = createTextSource(decodeDataset(bytes), settings);
 * const batch = source.train.batch({ epoch, epochStep: lease.epochStep }, [0, 1]);
 */
export { ArrivingStates, HeldStates, initialStates } from "./carried-states.js";
export { defaultCacheDirectory } from "./cache-directory.js";
export { loadDataset } from "./data-cache.js";
export { readRunSettings } from "./run-settings.js";
export type { RunSettings } from "./run-settings.js";
export { createPairSource, createSequenceSource, createTextSource } from "./shard-source.js";
export type { ShardSource } from "./shard-source.js";
