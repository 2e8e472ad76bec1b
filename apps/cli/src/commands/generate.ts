import type { GenerateOptions } from "../command-line/index.js";
import { generateText, openModel, requireWriter, skippedText } from "../inference/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato generate`: the prompt and what follows it on standard output, and nothing else. */
export async function generate(
  { run, prompt = "", ...request }: GenerateOptions,
  { stdout, stderr }: Terminal,
): Promise<number> {
  const opened = await openModel(run);
  stderr.write(skippedText(opened));
  try {
    const { model, vocabulary } = requireWriter(opened, "generate");
    const { text, unknown } = generateText(model, vocabulary, { prompt, ...request });
    if (unknown.length > 0) {
      const named = unknown.map((symbol) => JSON.stringify(symbol)).join(" ");
      stderr.write(`ostinato: --prompt: not in the text that was trained on: ${named}\n`);
    }
    stdout.write(`${prompt}${text}\n`);
    return 0;
  } finally {
    opened.model.dispose();
  }
}
