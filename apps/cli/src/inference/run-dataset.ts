import type { Dataset } from "@ostinato/data";
import { readDataset } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";

import { CliError } from "../errors/index.js";

/**
 * The data set of a run, read again from its files.
 *
 * @param digest the data set's SHA-256 (hex) as the run knows it
 * @throws DataError; CliError 'unusableText' if the files are not what they were
 */
export async function readRunDataset(config: RunConfig, digest: string): Promise<Dataset> {
  const { dataset } = await readDataset(config);
  if (dataset.digest === digest) return dataset;
  const files = [config.data.files].flat().join(", ");
  const what = dataset.kind === "text" ? "the text has" : `the ${dataset.kind} have`;
  throw new CliError("unusableText", `${files}: ${what} changed since the run was trained on it`);
}
