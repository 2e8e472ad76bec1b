import { firstPairs } from "@ostinato/data";
import type { PairDataset } from "@ostinato/data";

import type { SampleTranslation } from "../progress/index.js";
import type { Translator } from "./model-kind.js";
import { translateIds } from "./translate-sources.js";

const NUM_SAMPLES = 5;
const BEAM = { beamSize: 5, lengthPenalty: 0 };
/** A target that is not ended at this many times the expected one's tokens is of no interest. */
const LONGEST = 2;

/** What a model makes of the first pairs of the test part, beside what they are. */
export function sampleTranslations(
  translator: Translator,
  dataset: PairDataset,
): readonly SampleTranslation[] {
  const { source, target } = translator.vocabularies;
  return firstPairs(dataset, "test", NUM_SAMPLES).map((pair) => {
    const maxLength = LONGEST * pair.target.length + 1;
    const [found = []] = translateIds(translator, [pair.source], { ...BEAM, maxLength });
    return {
      source: source.decode(pair.source),
      target: target.decode(pair.target),
      translation: target.decode(found[0]?.tokens ?? []),
    };
  });
}
