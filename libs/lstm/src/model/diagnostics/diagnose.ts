import { LstmError } from "../../lstm-error.js";
import type { Trainable, Trainer } from "../training/index.js";
import { gateSaturation } from "./gate-saturation.js";
import type { GateSaturation } from "./gate-saturation.js";
import { gradientNorms } from "./gradient-norms.js";
import type { GradientNorms } from "./gradient-norms.js";
import {
  gateNormsByDistance,
  hiddenNormsByDistance,
  outputGradientNorm,
} from "./norms-by-distance.js";
import type { NormsByDistance } from "./norms-by-distance.js";
import { recordLayers } from "./observed-layers.js";
import type { ObservedLayer } from "./observed-layers.js";
import { updateRatios } from "./update-ratios.js";
import type { UpdateRatio } from "./update-ratios.js";

export interface DiagnoseOptions<Input> {
  readonly model: Trainable<Input>;
  /** Of this model; it is left as it was. */
  readonly trainer: Trainer<Input>;
  /** What is measured. */
  readonly input: Input;
  /**
   * The same with a loss at the last step alone; see `tokensLastStep`, `sequenceLastStep` and `pairsLastStep`.
   * Undefined for a loss of sequences as a whole, which there are no distances in time for.
   */
  readonly lastStep: Input | undefined;
  /** Of the random masks. */
  readonly seed: number;
  /** Epochs done before, for schedules that count in them; 0 by default. */
  readonly epoch?: number;
}

export interface LayerDiagnosis {
  /** Such as `layers.0`, `layers.0.backward`, or `encoder.layers.0`. */
  readonly name: string;
  /** What reaches the layer's outputs from above; see {@link outputGradientNorm}. */
  readonly outputGradientNorm: number;
  /** Undefined for a loss of sequences as a whole. */
  readonly byDistance: LayerDistances | undefined;
  readonly gates: readonly GateSaturation[];
}

/** How far a layer's gradient of the last step's loss reaches back. */
export interface LayerDistances {
  /** See {@link hiddenNormsByDistance}. */
  readonly hidden: NormsByDistance;
  /** See {@link gateNormsByDistance}. */
  readonly gates: NormsByDistance;
}

/** What can be seen of a model's gradients at one point of its training. */
export interface Diagnosis {
  /** Updates made before. */
  readonly step: number;
  /** Mean over the batch, in training. */
  readonly loss: number;
  readonly gradient: GradientNorms;
  /** The lowest layer first. */
  readonly layers: readonly LayerDiagnosis[];
  /** Of the next update; undefined if that is not finite. */
  readonly update: DiagnosedUpdate | undefined;
}

export interface DiagnosedUpdate {
  readonly learningRate: number;
  readonly clipped: boolean;
  readonly tensors: readonly UpdateRatio[];
}

/**
 * Measures a model's gradients where its trainer stands: norms per tensor and layer and by distance in
 * time, saturation of the gates, and how much the next update changes each tensor.
 *
 * Norms may be infinite or no number, where the gradient is.
 *
 * @throws LstmError `invalidBatch`, as `computeGradients` does
 */
export function diagnose<Input>(options: DiagnoseOptions<Input>): Diagnosis {
  const { model, trainer, input, lastStep } = options;
  const state = trainer.state();
  model.setParameters(state.parameters);
  model.setRunningStatistics(state.statistics);
  const whole = observedPass(options, input, state.step);
  const last = lastStep === undefined ? [] : observedPass(options, lastStep, state.step).layers;
  const distances = new Map(last.map((layer) => [layer.name, distancesOf(layer)]));
  return {
    step: state.step,
    loss: whole.lossSum / whole.lossWeight,
    gradient: gradientNorms(model.layout, whole.gradient, whole.lossWeight),
    layers: whole.layers.map((layer) => ({
      name: layer.name,
      outputGradientNorm: outputGradientNorm(layer),
      byDistance: distances.get(layer.name),
      gates: gateSaturation(layer, stackOf(model)),
    })),
    update: nextUpdate(trainer, input, options, model),
  };
}

function distancesOf(layer: ObservedLayer): LayerDistances {
  return { hidden: hiddenNormsByDistance(layer), gates: gateNormsByDistance(layer) };
}

interface ObservedPass {
  readonly lossSum: number;
  readonly lossWeight: number;
  readonly gradient: Float32Array;
  readonly layers: readonly ObservedLayer[];
}

function observedPass<Input>(
  { model, seed }: DiagnoseOptions<Input>,
  input: Input,
  stepsBefore: number,
): ObservedPass {
  const { layout } = model;
  const offsets = new Map(layout.tensors.map(({ name, offset }) => [name, offset]));
  const gradient = new Float32Array(layout.size);
  const recorder = recordLayers();
  const outcomes = model.computeGradients({
    ...input,
    seed,
    step: stepsBefore + 1,
    observer: recorder.observer,
    nodes: "root",
    onGradient: (name, [values]) => {
      gradient.set(values!, offsets.get(name));
    },
  });
  const sum = (key: "lossSum" | "lossWeight"): number =>
    outcomes.reduce((total, outcome) => total + outcome[key], 0);
  return {
    lossSum: sum("lossSum"),
    lossWeight: sum("lossWeight"),
    gradient,
    layers: recorder.layers(),
  };
}

/** One step of the trainer, which is then taken back. */
function nextUpdate<Input>(
  trainer: Trainer<Input>,
  input: Input,
  { epoch = 0 }: DiagnoseOptions<Input>,
  { layout }: Trainable<Input>,
): DiagnosedUpdate | undefined {
  const before = trainer.state();
  try {
    const { learningRate, clipped } = trainer.trainStep(input, { epoch });
    const tensors = updateRatios(layout, before.parameters, trainer.state().parameters);
    return { learningRate, clipped, tensors };
  } catch (error) {
    if (error instanceof LstmError && error.code === "notFinite") return undefined;
    throw error;
  } finally {
    trainer.restore(before);
  }
}

/** A vanilla RNN's activation; the stacks of an encoder–decoder have the same. */
function stackOf<Input>({ spec }: Trainable<Input>): Pick<typeof spec, "activation"> {
  return spec;
}
