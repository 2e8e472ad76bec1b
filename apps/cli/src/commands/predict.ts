import { resolve } from "node:path";

import type { PredictOptions } from "../command-line/index.js";
import { openModel, predictLines, requireSequenceModel, skippedText } from "../inference/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato predict`: for each line of the input one JSON object on standard output, and nothing else. */
export async function predict(
  { run, input }: PredictOptions,
  { stdout, stderr, folder }: Terminal,
): Promise<number> {
  const opened = await openModel(run);
  stderr.write(skippedText(opened));
  try {
    const model = requireSequenceModel(opened.model, "predict");
    for await (const prediction of predictLines(model, resolve(folder, input))) {
      stdout.write(`${JSON.stringify(prediction)}\n`);
    }
    return 0;
  } finally {
    opened.model.dispose();
  }
}
