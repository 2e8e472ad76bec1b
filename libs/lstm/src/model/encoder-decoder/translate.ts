import { dispose, reshape, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { embeddingGather } from "@ostinato/kernels/tensor";

import { decoderStack } from "../../layout/index.js";
import { LstmError } from "../../lstm-error.js";
import type { EncoderDecoderSpec } from "../../spec/index.js";
import type { SoftmaxHead } from "../layers/index.js";
import { asOneStep, inTensorScope } from "../pass/index.js";
import type { PackedRow, Pass } from "../pass/index.js";
import { attentionalState } from "./attentional-state.js";
import { Beam } from "./beam.js";
import type { BeamOptions, Hypothesis } from "./beam.js";
import { DECODER_MASKS, encode } from "./forward.js";
import type { EncoderRun } from "./forward.js";
import { checkSource } from "./pair-batch.js";
import type { TokenSequences } from "./pair-batch.js";
import { tokenSide } from "./token-side.js";
import type { StackStates } from "./token-side.js";

/** How targets are searched for; see {@link BeamOptions}. */
export interface TranslateOptions {
  /** Hypotheses followed at once, from 1; 1 takes the likeliest token each time. */
  readonly beamSize: number;
  /** Most tokens of a target, from 0; the end is not counted. */
  readonly maxLength: number;
  /** α of Wu et al. (2016), from 0; 0 where left out. */
  readonly lengthPenalty?: number | undefined;
  /** Target tokens that are never written, an unknown one for instance. The end cannot be excluded. */
  readonly excluded?: readonly number[] | undefined;
}

/** A model with parameters, in evaluation. */
export interface Translator {
  readonly pass: Pass;
  readonly spec: EncoderDecoderSpec;
  readonly head: (pass: Pass) => SoftmaxHead;
}

/** Beam search over all rows at once: the open hypotheses of all of them are one batch. */
export function translateSource(
  { pass, spec, head }: Translator,
  source: TokenSequences,
  options: TranslateOptions,
): readonly (readonly Hypothesis[])[] {
  checkOptions(options);
  checkSource(spec, source, pass.numRows);
  const { startId, endId } = spec;
  const { lengthPenalty = 0, excluded = [] } = options;
  const beamOptions: BeamOptions = { ...options, lengthPenalty, excluded, startId, endId };
  const beams = Array.from({ length: pass.numRows }, () => new Beam(beamOptions));
  if (pass.numRows === 0) return [];
  return inTensorScope(() => {
    const encoder = encode(pass, spec, source);
    let states = encoder.handed;
    while (beams.some(({ open }) => open.length > 0)) {
      const before = states;
      tidy(() => {
        const step = decoderStep({ pass, spec, head }, encoder, beams, before);
        states = gatherStates(step.states, extendAll(beams, step.logits));
        return tensorsOf(states);
      });
      dispose(tensorsOf(before));
    }
    return beams.map((beam) => beam.ranked());
  });
}

interface DecoderStep {
  readonly states: StackStates;
  /** [V] of each open hypothesis, row by row. */
  readonly logits: readonly Float32Array[];
}

/** One token of every open hypothesis. */
function decoderStep(
  { pass, spec, head }: Translator,
  { memory }: EncoderRun,
  beams: readonly Beam[],
  states: StackStates,
): DecoderStep {
  const open = beams.flatMap((beam) => beam.open);
  const numRows = open.length;
  const stepPass = { ...pass, numRows, leaves: [{ leaf: 0, firstRow: 0, numRows }] };
  const inputs = {
    numSteps: 1,
    tokens: Int32Array.from(open, ({ tokens }) => tokens.at(-1) ?? spec.startId),
    lengths: new Int32Array(numRows).fill(1),
  };
  const decoder = tokenSide(stepPass, decoderStack(spec), inputs, {
    firstMaskLayer: DECODER_MASKS,
    initial: states,
  });
  const hidden: Tensor2D = reshape(decoder.outputs, [numRows, -1]);
  const above = attentionalState(stepPass, hidden, rowsOf(beams), memory);
  const logits = head(stepPass).logits(asOneStep(above.outputs)).dataSync<"float32">();
  const { targetVocabularySize: size } = spec;
  return {
    states: decoder.final,
    logits: open.map((_, n) => logits.subarray(n * size, (n + 1) * size)),
  };
}

/** Where each row's open hypotheses lie. */
function rowsOf(beams: readonly Beam[]): PackedRow[] {
  let first = 0;
  return beams.map(({ open }) => {
    const row = { first, count: open.length };
    first += open.length;
    return row;
  });
}

/** @returns for each hypothesis now open, the place among all those before of the one it extends. */
function extendAll(beams: readonly Beam[], logits: readonly Float32Array[]): Int32Array {
  const rows = rowsOf(beams);
  const parents = beams.flatMap((beam, row) => {
    const { first, count } = rows[row]!;
    const ofRow = beam.extend(logits.slice(first, first + count));
    return ofRow.map((parent) => first + parent);
  });
  return Int32Array.from(parents);
}

function gatherStates(states: StackStates, places: Int32Array): StackStates {
  if (places.length === 0) return [];
  const ids = tensor1d(places, "int32");
  return states.map((directions) =>
    directions.map(({ hidden, cell }) => ({
      hidden: embeddingGather(hidden, ids),
      cell: cell && embeddingGather(cell, ids),
    })),
  );
}

function tensorsOf(states: StackStates): Tensor2D[] {
  return states
    .flat()
    .flatMap(({ hidden, cell }) => (cell === undefined ? [hidden] : [hidden, cell]));
}

function checkOptions({ beamSize, maxLength, lengthPenalty = 0 }: TranslateOptions): void {
  const isWhole = (value: number, min: number): boolean =>
    Number.isSafeInteger(value) && value >= min;
  expect(isWhole(beamSize, 1), "beamSize", beamSize, "a whole number from 1");
  expect(isWhole(maxLength, 0), "maxLength", maxLength, "a whole number from 0");
  const isPenalty = lengthPenalty >= 0 && lengthPenalty < Infinity;
  expect(isPenalty, "lengthPenalty", lengthPenalty, "a number from 0");
}

function expect(holds: boolean, name: string, value: number, allowed: string): void {
  if (holds) return;
  throw new LstmError("invalidSampling", `translate: ${name} is ${value}, allowed is ${allowed}`);
}
