import { compileKeys } from "../keys/index.js";
import { LstmError } from "../lstm-error.js";
import { shown } from "../shown.js";
import { ctc } from "./ctc/index.js";
import { brokenLossRule, lossSchema } from "./loss-spec.js";
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
  const broken = brokenLossRule(spec, numTargets);
  if (broken !== undefined) {
    throw invalid(`${broken.key} is ${shown(broken.value)}; ${broken.message}`);
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
    case "crossEntropy":
      return crossEntropy(numTargets, spec);
    case "ctc":
      return ctc(numTargets, spec);
  }
}

const invalid = (what: string): LstmError => new LstmError("invalidLoss", `loss.${what}`);
