import { bitsPerSymbol, lossUnit } from "@ostinato/lstm";
import { layoutSettings } from "@ostinato/run";

import type { EvaluateOptions } from "../command-line/index.js";
import {
  evaluateSplit,
  isSequenceModel,
  measureBaselines,
  openModel,
  readRunDataset,
  skippedText,
} from "../inference/index.js";
import { comparisonText } from "../progress/index.js";
import type { Terminal } from "./terminal.js";

/**
 * `ostinato evaluate`: the loss of one part of the data; of a text in bits per character too, beside
 * the baselines.
 */
export async function evaluate(
  { run, split, json }: EvaluateOptions,
  { stdout, stderr }: Terminal,
): Promise<number> {
  const opened = await openModel(run);
  const { model, config, dataDigest, step } = opened;
  stderr.write(skippedText(opened));
  try {
    const dataset = await readRunDataset(config, dataDigest);
    const { loss, numSamples } = evaluateSplit(model, dataset, split, layoutSettings(config));
    const event = { event: "evaluation", split, step, loss };
    if (dataset.kind !== "text") {
      const lossKind = isSequenceModel(model) ? model.spec.loss.kind : "crossEntropy";
      const unit = lossUnit(lossKind);
      const per = dataset.kind === "pairs" ? " per target token" : "";
      stdout.write(
        json
          ? `${JSON.stringify({ ...event, lossKind, lossUnit: unit, numSamples })}\n`
          : `${split} part, ${numSamples} ${dataset.kind}, model of step ${step}\n${lossKind} loss ${loss} ${unit}${per}\n`,
      );
      return 0;
    }
    const bits = bitsPerSymbol(loss);
    const baselines = measureBaselines(dataset, split);
    stdout.write(
      json
        ? `${JSON.stringify({ ...event, bitsPerSymbol: bits, numSamples, baselines })}\n`
        : `${split} part, ${numSamples} characters, model of step ${step}\n` +
            `loss ${loss} nats, ${bits.toFixed(3)} bits per character\n` +
            comparisonText(bits, baselines),
    );
    return 0;
  } finally {
    model.dispose();
  }
}
