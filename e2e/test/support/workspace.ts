import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const repository = new URL("../../..", import.meta.url).pathname;
export const launcher = join(repository, "apps/cli/bin/ostinato.js");

const WORDS =
  "the whale sea ship captain said old white man of and to in a his that upon now".split(" ");

/** Made-up prose from a linear congruential generator: the same text on every machine. */
export function madeUpText(numCharacters: number, seed = 7): string {
  let state = seed;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  let text = "";
  while (text.length < numCharacters) {
    text += WORDS[next(WORDS.length)] ?? "";
    text += next(9) === 0 ? ".\n" : " ";
  }
  return text.slice(0, numCharacters);
}

export interface Workspace {
  readonly folder: string;
  readonly config: string;
  /** A path in the workspace. */
  at(name: string): string;
  remove(): Promise<void>;
}

/**
 * A folder with a text and a config of a small run in which everything that could depend on workers
 * is on: two layers, dropout between them, carried state, uneven leaves, a short last step, two epochs.
 */
export async function createWorkspace(overrides = ""): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "ostinato-e2e-"));
  const at = (name: string): string => join(folder, name);
  await writeFile(at("book.txt"), madeUpText(9000));
  await writeFile(
    at("run.yaml"),
    `name: small
seed: 3
data:
  files: book.txt
model:
  embeddingSize: 8
  hiddenSize: 16
  numLayers: 2
  dropout: 0.25
training:
  epochs: 2
  batchSize: 13
  sequenceLength: 16
  microShards: 8
optimizer:
  kind: adam
  learningRate: 0.01
evaluation:
  everySteps: 25
  batchSize: 9
checkpoints:
  everySteps: 10
cluster:
  deadlineSeconds: 10
${overrides}`,
  );
  return { folder, config: at("run.yaml"), at, remove: () => rm(folder, { recursive: true }) };
}
