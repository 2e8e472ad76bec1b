import type { TextDataset } from "@ostinato/data";
import { createTextDataset, readTextFiles } from "@ostinato/data";
import type { RunConfig } from "@ostinato/run";

import { CliError } from "../errors/index.js";

/**
 * The data set of a run, read again from its files.
 *
 * @param digest the data set's SHA-256 (hex) as the run knows it
 * @throws DataError; CliError 'unusableText' if the files are not what they were
 */
export async function readRunDataset(config: RunConfig, digest: string): Promise<TextDataset> {
  const { text } = await readTextFiles(config.data);
  const dataset = createTextDataset(text, config.data);
  if (dataset.digest === digest) return dataset;
  const files = [config.data.files].flat().join(", ");
  throw new CliError(
    "unusableText",
    `${files}: the text has changed since the run was trained on it`,
  );
}
