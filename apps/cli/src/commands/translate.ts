import { resolve } from "node:path";

import { readSourceLines, UNKNOWN_ID } from "@ostinato/data";
import type { TokenVocabulary, WrittenSequence } from "@ostinato/data";

import type { TranslateOptions } from "../command-line/index.js";
import { CliError } from "../errors/index.js";
import { openModel, requireTranslator, skippedText, translateSources } from "../inference/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato translate`: for each source one JSON object on standard output, and nothing else. */
export async function translate(
  { run, input, text, ...request }: TranslateOptions,
  { stdout, stderr, folder }: Terminal,
): Promise<number> {
  const opened = await openModel(run);
  stderr.write(skippedText(opened));
  try {
    const translator = requireTranslator(opened, "translate");
    const { source: vocabulary } = translator.vocabularies;
    const sources =
      input === undefined
        ? [sourceOf(text ?? "", vocabulary)]
        : await readSourceLines(resolve(folder, input), vocabulary);
    stderr.write(unknownText(sources, vocabulary));
    for (const translation of translateSources(translator, sources, request)) {
      stdout.write(`${JSON.stringify(translation)}\n`);
    }
    return 0;
  } finally {
    opened.model.dispose();
  }
}

/** A text's characters, or its words where the data has lists of tokens. */
function sourceOf(text: string, { form }: TokenVocabulary): WrittenSequence {
  const source = form === "characters" ? text : text.split(/\s+/).filter((word) => word !== "");
  if (source.length > 0) return source;
  throw new CliError("unusableText", `--text: ${JSON.stringify(text)} has no token to translate`);
}

/** Tokens that are told at most. */
const MAX_TOLD = 20;

function unknownText(sources: readonly WrittenSequence[], vocabulary: TokenVocabulary): string {
  const unknown = new Set<string>();
  for (const source of sources) {
    for (const token of source) {
      if (vocabulary.idOf(token) === UNKNOWN_ID) unknown.add(token);
    }
  }
  if (unknown.size === 0) return "";
  const told = [...unknown].slice(0, MAX_TOLD).map((token) => JSON.stringify(token));
  const more = unknown.size > MAX_TOLD ? ` and ${unknown.size - MAX_TOLD} more` : "";
  return `ostinato: not in the sources that were trained on: ${told.join(" ")}${more}\n`;
}
