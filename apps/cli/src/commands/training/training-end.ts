/** The end of a training: how good the model is, and what it writes. */

import type { SplitName, TextDataset, Vocabulary } from "@ostinato/data";

import type { Baseline, DataKind, ProgressView, Summary } from "../../progress/index.js";

const SAMPLE = { length: 300, temperature: 0.7, topP: 0.95, seed: 1 };
type Extras = Pick<Summary, "baselines" | "sample" | "translations">;

const NOTHING: Extras = { baselines: [], sample: undefined, translations: [] };

/** Characters of text that the sample goes on from. */
const PROMPT_LENGTH = 40;

/**
 * Measures the baselines of a text and lets the model write, or translates some pairs, then shows what came
 * out. The run itself is whole by now: what goes wrong here is a warning.
 *
 * @param testLoss the coordinator's own evaluation of the test part, of a text or of pairs in nats
 */
export async function showTrainingEnd(
  kind: DataKind,
  runDirectory: string,
  testLoss: number | undefined,
  view: ProgressView,
): Promise<void> {
  let extras = NOTHING;
  if (kind === "sequences") {
    view.summary({ kind, runDirectory, testLoss, ...extras });
    return;
  }
  try {
    extras = await measure(runDirectory);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const missing = kind === "pairs" ? "translations" : "baselines and no sample";
    view.notice({ level: "warn", text: `no ${missing}: ${cause}` });
  }
  view.summary({ kind, runDirectory, testLoss, ...extras });
}

async function measure(runDirectory: string): Promise<Extras> {
  // Loaded now and not before: TensorFlow.js takes memory that the workers can use.
  const {
    generateText,
    measureBaselines,
    openModel,
    readRunDataset,
    requireTranslator,
    requireWriter,
    sampleTranslations,
  } = await import("../../inference/index.js");
  const opened = await openModel(runDirectory);
  const { model, config, dataDigest } = opened;
  try {
    const dataset = await readRunDataset(config, dataDigest);
    if (dataset.kind === "pairs") {
      const translator = requireTranslator(opened, "train");
      return { ...NOTHING, translations: sampleTranslations(translator, dataset) };
    }
    if (dataset.kind !== "text") return NOTHING;
    const baselines: readonly Baseline[] = measureBaselines(dataset, "test");
    const { model: writer, vocabulary } = requireWriter(opened, "train");
    const prompt = promptOf(dataset, vocabulary);
    const { text } = generateText(writer, vocabulary, {
      prompt,
      ...SAMPLE,
    });
    return { ...NOTHING, baselines, sample: { prompt, text } };
  } finally {
    model.dispose();
  }
}

/** Words of the text that the model has not been trained on, as far as there are any. */
function promptOf({ splits }: TextDataset, vocabulary: Vocabulary): string {
  const order: readonly SplitName[] = ["test", "validation", "train"];
  const tokens = order.map((name) => splits[name]).find(({ length }) => length > 0);
  const text = vocabulary
    .decode((tokens ?? new Uint16Array()).subarray(0, PROMPT_LENGTH))
    .trimStart();
  const lastSpace = text.lastIndexOf(" ");
  return lastSpace > 0 ? text.slice(0, lastSpace + 1) : text;
}
