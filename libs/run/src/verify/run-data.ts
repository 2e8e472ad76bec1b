/** The data of a run, read once more from where its config says. */

import { createHash } from "node:crypto";

import { createTextDataset, createTextLayout, DataError, readTextFiles } from "@ostinato/data";
import type { SplitName, TextDataset, TextLayout } from "@ostinato/data";

import type { RunConfig } from "../config/index.js";
import type { Problems } from "./problems.js";

export interface ExpectedSamples {
  readonly numSamples: number;
  /** Hex. */
  readonly digest: string;
}

/** A split laid out as it was trained or evaluated. */
export class SplitSamples {
  readonly layout: TextLayout;
  readonly #tokens: Uint16Array;
  readonly #byStep = new Map<number, readonly ExpectedSamples[]>();

  constructor(tokens: Uint16Array, layout: TextLayout) {
    this.#tokens = tokens;
    this.layout = layout;
  }

  /** What each leaf of a step amounts to, by leaf. */
  leavesAt(epochStep: number): readonly ExpectedSamples[] {
    let leaves = this.#byStep.get(epochStep);
    if (leaves === undefined) {
      leaves = Array.from({ length: this.layout.microShards }, (_, leaf) => {
        const { numSamples, digest } = this.layout.expectedLeaf(this.#tokens, epochStep, leaf);
        return { numSamples, digest: Buffer.from(digest).toString("hex") };
      });
      this.#byStep.set(epochStep, leaves);
    }
    return leaves;
  }

  /** The same over all steps: an evaluation's digest is that of its steps' digests, in order. */
  leavesOverall(): readonly ExpectedSamples[] {
    const { microShards, stepsPerEpoch } = this.layout;
    return Array.from({ length: microShards }, (_, leaf) => {
      const hash = createHash("sha256");
      let numSamples = 0;
      for (let epochStep = 0; epochStep < stepsPerEpoch; epochStep++) {
        const expected = this.leavesAt(epochStep)[leaf];
        if (expected === undefined) continue;
        hash.update(expected.digest, "hex");
        numSamples += expected.numSamples;
      }
      return { numSamples, digest: hash.digest("hex") };
    });
  }
}

/**
 * Reads the data set; undefined, with a problem that says so, if it cannot be read or is another one.
 *
 * @param digest of the data set that the run was trained on
 */
export async function readRunData(
  config: RunConfig,
  digest: string,
  problems: Problems,
): Promise<TextDataset | undefined> {
  const { files, baseDirectory } = config.data;
  try {
    const dataset = createTextDataset(
      (await readTextFiles({ files, baseDirectory })).text,
      config.data,
    );
    if (dataset.digest === digest) return dataset;
    problems.add("data", `another data set (${dataset.digest}), not that of the run (${digest})`);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    problems.add("data", error.message);
  }
  problems.add("data", "without it, which samples were used cannot be checked");
  return undefined;
}

/** The training part as `config` lays it out. */
export function trainingSamples(dataset: TextDataset, config: RunConfig): SplitSamples {
  const tokens = dataset.splits.train;
  const { batchSize, sequenceLength, microShards } = config.training;
  const options = { numTokens: tokens.length, batchSize, sequenceLength, microShards };
  return new SplitSamples(tokens, createTextLayout(options));
}

/** A part as it is laid out for evaluation. */
export function evaluationSamples(
  dataset: TextDataset,
  config: RunConfig,
  split: SplitName,
): SplitSamples {
  const tokens = dataset.splits[split];
  const { sequenceLength, microShards } = config.training;
  const { batchSize } = config.evaluation;
  const numTokens = tokens.length;
  const options = { numTokens, batchSize, sequenceLength, microShards, allowShort: true };
  return new SplitSamples(tokens, createTextLayout(options));
}
