import { compileKeys } from "../keys/index.js";
import { LstmError } from "../lstm-error.js";
import { shown } from "../shown.js";
import { ctc } from "./ctc/index.js";
import { lossSchema } from "./loss-spec.js";
import type { LossOptions } from "./loss-spec.js";
import type { ClassesLoss, LabelSequencesLoss, Loss, ValuesLoss } from "./loss.js";
import {
  binaryCrossEntropy,
  crossEntropy,
  gaussian,
  huber,
  meanAbsolute,
  meanSquared,
  quantile,
  studentT,
} from "./positions/index.js";

/** What the data says about the targets. */
export interface TargetSizes {
  /**
   * Values: how many a position has. Classes: how many there are to choose from. Label sequences: how
   * many labels there are, the blank among them.
   */
  readonly numTargets: number;
}

type LossFor<Kind> = Kind extends "crossEntropy"
  ? ClassesLoss
  : Kind extends "ctc"
    ? LabelSequencesLoss
    : ValuesLoss;

/**
 * @throws {LstmError} `invalidLoss` naming the key, its value and what is allowed
 */
export function createLoss<const Options extends LossOptions>(
  options: Options,
  sizes: TargetSizes,
): LossFor<Options["kind"]>;
export function createLoss(options: LossOptions, { numTargets }: TargetSizes): Loss {
  const spec = compileKeys(lossSchema, options, { code: "invalidLoss", group: "loss" });
  if (!(Number.isSafeInteger(numTargets) && numTargets > 0)) {
    throw invalid(`numTargets is ${shown(numTargets)}; it must be a whole number from 1`);
  }
  switch (spec.kind) {
    case "meanSquared":
      return meanSquared(numTargets);
    case "meanAbsolute":
      return meanAbsolute(numTargets);
    case "huber":
      return huber(numTargets, spec);
    case "quantile":
      return quantile(numTargets, spec);
    case "gaussian":
      return gaussian(numTargets, spec);
    case "studentT":
      return studentT(numTargets, spec);
    case "binaryCrossEntropy":
      return binaryCrossEntropy(numTargets, spec);
    case "crossEntropy": {
      const { length } = spec.classWeights;
      if (length !== 0 && length !== numTargets) {
        throw invalid(
          `classWeights has ${length} values; it must have one for each of ${numTargets} classes`,
        );
      }
      return crossEntropy(numTargets, spec);
    }
    case "ctc":
      if (spec.blankIndex >= numTargets) {
        throw invalid(
          `blankIndex is ${spec.blankIndex}; it must be a label from 0 to ${numTargets - 1}`,
        );
      }
      return ctc(numTargets, spec);
  }
}

const invalid = (what: string): LstmError => new LstmError("invalidLoss", `loss.${what}`);
