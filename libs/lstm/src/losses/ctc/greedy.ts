import { rowsToDecode } from "./decoding.js";
import type { CtcDecodeRequest, CtcHypothesis } from "./decoding.js";

/**
 * Best-path decoding (Graves et al. 2006, section 3.2): the likeliest label of every step, of equal ones
 * the first, without repetitions and blanks. Other paths may give a likelier sequence of labels.
 *
 * @returns one a row; its probability is that of the path
 * @throws {LstmError} `invalidBatch`, `invalidSampling`
 */
export function ctcGreedyDecode(request: CtcDecodeRequest): readonly CtcHypothesis[] {
  const { numLabels, blankIndex = 0 } = request;
  return rowsToDecode(request).map(({ numSteps, logProbabilities }) => {
    const labels: number[] = [];
    let logProbability = 0;
    let previous = blankIndex;
    for (let t = 0; t < numSteps; t++) {
      const step = logProbabilities.subarray(t * numLabels, (t + 1) * numLabels);
      const highest = step.reduce((a, b) => Math.max(a, b));
      const best = step.indexOf(highest);
      if (best !== blankIndex && best !== previous) labels.push(best);
      logProbability += highest;
      previous = best;
    }
    return { labels, logProbability };
  });
}
