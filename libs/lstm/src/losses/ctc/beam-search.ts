import { LstmError } from "../../lstm-error.js";
import { logAddExp } from "../special-functions.js";
import { rowsToDecode } from "./decoding.js";
import type { CtcDecodeRequest, CtcHypothesis, DecodedRow } from "./decoding.js";

export interface CtcBeamSearchRequest extends CtcDecodeRequest {
  /** How many prefixes are kept after each step. */
  readonly beamWidth: number;
}

/** The logs of the probabilities of all paths so far that give the same labels. */
interface Prefix {
  readonly labels: readonly number[];
  /** Of the paths that end with a blank. */
  readonly blank: number;
  /** Of those that end with the last label. */
  readonly label: number;
}

const totalOf = ({ blank, label }: Prefix): number => logAddExp(blank, label);

/**
 * Prefix beam search (Graves 2012, section 7.5.3; Hannun et al. 2014, without a language model): the
 * paths of equal labels are added up as they grow. It finds the likeliest labels if the beam is wide
 * enough; the probabilities count the paths that stayed in the beam.
 *
 * @returns for each row up to `beamWidth` hypotheses, the likeliest first
 * @throws {LstmError} `invalidBatch`, `invalidSampling`
 */
export function ctcBeamSearchDecode(
  request: CtcBeamSearchRequest,
): readonly (readonly CtcHypothesis[])[] {
  const { beamWidth } = request;
  if (!(Number.isSafeInteger(beamWidth) && beamWidth > 0)) {
    throw new LstmError(
      "invalidSampling",
      `ctc decoding: beamWidth is ${beamWidth}; it must be a whole number from 1`,
    );
  }
  return rowsToDecode(request).map((row) => searchRow(row, request));
}

function searchRow(
  { numSteps, logProbabilities }: DecodedRow,
  { numLabels, blankIndex = 0, beamWidth }: CtcBeamSearchRequest,
): readonly CtcHypothesis[] {
  let beam: readonly Prefix[] = [{ labels: [], blank: 0, label: -Infinity }];
  for (let t = 0; t < numSteps; t++) {
    const step = logProbabilities.subarray(t * numLabels, (t + 1) * numLabels);
    beam = likeliest(extensions(beam, step, blankIndex), beamWidth);
  }
  return beam.map((prefix) => ({ labels: prefix.labels, logProbability: totalOf(prefix) }));
}

/** Every prefix with a blank, its last label once more, or a new label. */
function extensions(
  beam: readonly Prefix[],
  step: Float64Array,
  blankIndex: number,
): readonly Prefix[] {
  const found = new Map<string, Prefix>();
  const add = (labels: readonly number[], blank: number, label: number): void => {
    if (blank === -Infinity && label === -Infinity) return;
    const name = labels.join();
    const known = found.get(name) ?? { labels, blank: -Infinity, label: -Infinity };
    found.set(name, {
      labels: known.labels,
      blank: logAddExp(known.blank, blank),
      label: logAddExp(known.label, label),
    });
  };
  for (const prefix of beam) {
    const { labels, blank, label } = prefix;
    const last = labels.at(-1);
    for (const [k, logProbability] of step.entries()) {
      if (k === blankIndex) {
        add(labels, totalOf(prefix) + logProbability, -Infinity);
      } else if (k === last) {
        add(labels, -Infinity, label + logProbability);
        // The same label again is a second one only after a blank.
        add([...labels, k], -Infinity, blank + logProbability);
      } else {
        add([...labels, k], -Infinity, totalOf(prefix) + logProbability);
      }
    }
  }
  return [...found.values()];
}

/** The sort is stable and the extensions' order follows from the beam's: ties always fall alike. */
function likeliest(prefixes: readonly Prefix[], count: number): readonly Prefix[] {
  return prefixes
    .map((prefix) => ({ prefix, total: totalOf(prefix) }))
    .sort((a, b) => b.total - a.total)
    .slice(0, count)
    .map(({ prefix }) => prefix);
}
