/** The data of a run, read once more from where its config says. */

import { createHash } from "node:crypto";

import { DataError } from "@ostinato/data";
import type { Dataset, EpochPlace } from "@ostinato/data";

import type { RunConfig } from "../config/index.js";
import { readDataset } from "../data/index.js";
import type { SplitLayout } from "../data/index.js";
import type { Problems } from "./problems.js";

export interface ExpectedSamples {
  readonly numSamples: number;
  readonly lossWeight: number;
  /** Hex. */
  readonly digest: string;
}

/** A split laid out as it was trained or evaluated. */
export class SplitSamples {
  readonly layout: SplitLayout;
  readonly #byStep = new Map<number, readonly ExpectedSamples[]>();

  constructor(layout: SplitLayout) {
    this.layout = layout;
  }

  /** What each leaf of a step amounts to, by leaf. */
  leavesAt(place: EpochPlace): readonly ExpectedSamples[] {
    const { epochStep } = place;
    const known = this.#byStep.get(epochStep);
    if (known !== undefined) return known;
    const leaves = Array.from({ length: this.layout.microShards }, (_, leaf) => {
      const { numSamples, lossWeight, sampleDigest } = this.layout.expectedLeaf(place, leaf);
      return { numSamples, lossWeight, digest: Buffer.from(sampleDigest).toString("hex") };
    });
    if (this.layout.isSameEveryEpoch) this.#byStep.set(epochStep, leaves);
    return leaves;
  }

  /** The same over all steps: an evaluation's digest is that of its steps' digests, in order. */
  leavesOverall(): readonly ExpectedSamples[] {
    const { microShards, stepsPerEpoch } = this.layout;
    return Array.from({ length: microShards }, (_, leaf) => {
      const hash = createHash("sha256");
      let numSamples = 0;
      let lossWeight = 0;
      for (let epochStep = 0; epochStep < stepsPerEpoch; epochStep++) {
        const expected = this.leavesAt({ epoch: 0, epochStep })[leaf];
        if (expected === undefined) continue;
        hash.update(expected.digest, "hex");
        numSamples += expected.numSamples;
        lossWeight += expected.lossWeight;
      }
      return { numSamples, lossWeight, digest: hash.digest("hex") };
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
): Promise<Dataset | undefined> {
  try {
    const { dataset } = await readDataset(config);
    if (dataset.digest === digest) return dataset;
    problems.add("data", `another data set (${dataset.digest}), not that of the run (${digest})`);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    problems.add("data", error.message);
  }
  problems.add("data", "without it, which samples were used cannot be checked");
  return undefined;
}
