/** What a sequence model says of the sequences of a file, one after the other. */

import { readInputLines } from "@ostinato/data";
import type { InputLine } from "@ostinato/data";
import type { SequenceModelSpec } from "@ostinato/lstm";
import { createLoss, ctcGreedyDecode } from "@ostinato/lstm";
import type { SequenceModel } from "@ostinato/lstm/model";

import { CliError } from "../errors/index.js";

/** The head's outputs of one sequence, before any softmax or softplus, and what is read from them. */
export interface Prediction {
  /** [steps][outputs] of every step, [outputs] of the last one. */
  readonly outputs: readonly number[] | readonly (readonly number[])[];
  /** Cross-entropy: the likeliest class of each step, or of the sequence. */
  readonly classes?: number | readonly number[];
  /** CTC: the labels of the likeliest path. */
  readonly labels?: readonly number[];
}

/**
 * Predicts each line's sequence by itself, so that no prediction depends on the others, as the lines are
 * read: what is wrong with one shows after the predictions of those before it.
 *
 * @param file JSON Lines with `inputs`, as for training
 * @throws DataError 'invalidSample' and the like; CliError 'unusableText' naming the line, for inputs that
 *   are not those of the model
 */
export async function* predictLines(
  model: SequenceModel,
  file: string,
): AsyncGenerator<Prediction> {
  let number = 0;
  for await (const line of readInputLines(file)) {
    number += 1;
    const problem = inputsProblem(model.spec, line);
    if (problem !== undefined) throw new CliError("unusableText", `${file}:${number}: ${problem}`);
    yield predictLine(model, line);
  }
}

function inputsProblem({ input }: SequenceModelSpec, { inputs }: InputLine): string | undefined {
  if (inputs.kind !== input.kind) return `inputs are ${inputs.kind}; the model reads ${input.kind}`;
  if (input.kind === "values") {
    if (inputs.kind === "values" && inputs.size === input.size) return undefined;
    return `inputs has another number of values a step than ${input.size}, which the model reads`;
  }
  const ids = inputs.kind === "tokens" ? inputs.ids : [];
  const unknown = ids.find((id) => id >= input.vocabularySize);
  if (unknown === undefined) return undefined;
  return `inputs has ${unknown}; the model knows the tokens 0 to ${input.vocabularySize - 1}`;
}

function predictLine(model: SequenceModel, { inputs, length }: InputLine): Prediction {
  const { spec } = model;
  const read =
    inputs.kind === "tokens" ? Int32Array.from(inputs.ids) : Float32Array.from(inputs.values);
  const flat = model.predict({ numSteps: length, numRows: 1, inputs: read });
  const { outputSize } = createLoss(spec.loss, { numTargets: spec.numTargets });
  const steps = Array.from({ length: flat.length / outputSize }, (_, t) =>
    Array.from(flat.subarray(t * outputSize, (t + 1) * outputSize)),
  );
  const outputs = spec.output === "everyStep" ? steps : (steps[0] ?? []);
  if (spec.loss.kind === "ctc") {
    const { blankIndex } = spec.loss;
    const [best] = ctcGreedyDecode({
      outputs: flat,
      numRows: 1,
      numLabels: outputSize,
      inputLengths: Int32Array.of(length),
      blankIndex,
    });
    return { outputs, labels: best?.labels ?? [] };
  }
  if (spec.loss.kind === "crossEntropy") {
    const classes = steps.map(likeliest);
    return { outputs, classes: spec.output === "everyStep" ? classes : (classes[0] ?? 0) };
  }
  return { outputs };
}

/** The first of the largest. */
function likeliest(logits: readonly number[]): number {
  return logits.reduce((best, logit, k) => (logit > (logits[best] ?? -Infinity) ? k : best), 0);
}
