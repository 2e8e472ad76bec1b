/**
 * Running statistics of batch normalization: gathered leaf by leaf while training, merged along the
 * gradient tree, used in evaluation.
 *
 * @example
 * const layout = statisticsLayout(spec);
 * let statistics = initialStatistics(layout);
 * statistics = statisticsAfterStep(layout, statistics, outcomes.map(({ moments }) => moments));
 */
export { flattenMoments, momentsProblem, momentsSize, unflattenMoments } from "./flat-moments.js";
export { mergeMoments, mergeMomentsInTreeOrder } from "./moments.js";
export type { Moments } from "./moments.js";
export {
  initialStatistics,
  statisticsAfterStep,
  statisticsLayout,
  updateStatistics,
} from "./running-statistics.js";
export type { StatisticsEntry, StatisticsLayout } from "./running-statistics.js";
