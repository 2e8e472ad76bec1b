/**
 * Running statistics of batch normalization: gathered leaf by leaf while training, merged along the
 * gradient tree, used in evaluation.
 *
 * @example
 * const layout = statisticsLayout(spec);
 * let statistics = initialStatistics(layout);
 * const merged = layout.entries.map((_, k) => mergeMomentsInTreeOrder(leaves.map((l) => l.moments[k])));
 * statistics = updateStatistics(layout, statistics, merged);
 */
export { mergeMoments, mergeMomentsInTreeOrder } from "./moments.js";
export type { Moments } from "./moments.js";
export { initialStatistics, statisticsLayout, updateStatistics } from "./running-statistics.js";
export type { StatisticsEntry, StatisticsLayout } from "./running-statistics.js";
