/**
 * Connectionist temporal classification: label sequences without an alignment to the time steps.
 *
 * @example
 * const loss = ctc(27, { blankIndex: 0, zeroInfinity: false });
 * loss.gradient({ outputs, numRows, inputLengths, targets, targetLengths, weights, outputGradient });
 * const [best] = ctcBeamSearchDecode({ outputs, numRows, numLabels: 27, inputLengths, beamWidth: 16 })[0];
 */
export { ctcBeamSearchDecode } from "./beam-search.js";
export type { CtcBeamSearchRequest } from "./beam-search.js";
export { ctc } from "./ctc-loss.js";
export { ctcGreedyDecode } from "./greedy.js";
export type { CtcDecodeRequest, CtcHypothesis } from "./decoding.js";
