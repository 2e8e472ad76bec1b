/** Running statistics of batch normalization that are not those of the start, for evaluations. */
import { initialStatistics, statisticsLayout } from "../../src/index.js";
import type { ModelSpec } from "../../src/index.js";
import { randomValues } from "../language-models.js";
import type { RunningStatistics } from "../oracle/normalization.js";

export function randomStatistics(spec: ModelSpec): Float64Array {
  const values = initialStatistics(statisticsLayout(spec));
  const noise = randomValues(17)(values.length, 0.5);
  return values.map((value, k) => value + noise[k]!);
}

/** The same as the oracle reads them. */
export function runningOf(spec: ModelSpec): RunningStatistics {
  const statistics = randomStatistics(spec);
  const { entries } = statisticsLayout(spec);
  return (prefix) => {
    const { offset, size } = entries.find(({ name }) => name === prefix)!;
    const part = (start: number): number[] => Array.from(statistics.slice(start, start + size));
    return { mean: part(offset), variance: part(offset + size) };
  };
}
