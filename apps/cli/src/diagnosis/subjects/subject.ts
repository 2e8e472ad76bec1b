/** What is diagnosed → its diagnosis before and after some training. */

import { LstmError } from "@ostinato/lstm";
import { createTrainer, diagnose } from "@ostinato/lstm/model";
import type {
  Diagnosis,
  LeafOutcome,
  Trainable,
  Trainer,
  TrainerSettingsInput,
  TrainerState,
} from "@ostinato/lstm/model";
import type { RunConfig } from "@ostinato/run";

/** A model with what it is trained on and what it is measured by. */
export interface Subject<Input> {
  readonly model: Trainable<Input> & { dispose(): void };
  readonly settings: TrainerSettingsInput & { readonly seed: number };
  /** The batch that is measured, before and after training the same. */
  readonly measured: Input;
  /** The same with a loss at the last step alone; undefined for a loss of sequences as a whole. */
  readonly lastStep: Input | undefined;
  /** The epoch after so many steps. */
  readonly epochAt: (step: number) => number;
  /** The batches of training from its start. */
  readonly feed: () => Feed<Input>;
}

export interface Feed<Input> {
  next(): { readonly input: Input; readonly epoch: number };
  /** Given what the batch before came to. */
  took(outcomes: readonly LeafOutcome[]): void;
}

/** Some steps of training in this process. */
export interface DiagnosedTraining {
  /** Updates made. */
  readonly steps: number;
  /** Before each update, over its batch. */
  readonly losses: readonly number[];
  /** Global norms of the averaged gradient, before clipping. */
  readonly gradientNorms: readonly number[];
  /** Updates whose gradient was clipped. */
  readonly clippedSteps: number;
  /** Why training ended before its last step; undefined if it did not. */
  readonly stopped: string | undefined;
}

export interface SubjectDiagnosis {
  /** Before any training. */
  readonly start: Diagnosis;
  readonly training: DiagnosedTraining | undefined;
  /** After it; undefined without any. */
  readonly end: Diagnosis | undefined;
}

/** Where a diagnosis begins, and how far it goes. */
export interface DiagnosedSteps {
  /** Updates between two measurements; 0 for a single one. */
  readonly steps: number;
  /** What is measured first; undefined: the initial parameters, which alone training can start from. */
  readonly from: TrainerState | undefined;
}

/**
 * Measures, trains so many steps, and measures again. Disposes of the model.
 *
 * @throws LstmError for settings or a model that can't be
 */
export function diagnoseSubject<Input>(
  subject: Subject<Input>,
  { steps, from }: DiagnosedSteps,
): SubjectDiagnosis {
  const { model, settings, measured, lastStep } = subject;
  try {
    const trainer = createTrainer({ model, ...settings });
    if (from !== undefined) trainer.restore(from);
    const measure = (epoch: number): Diagnosis =>
      diagnose({ model, trainer, input: measured, lastStep, seed: settings.seed, epoch });
    const start = measure(subject.epochAt(from?.step ?? 0));
    if (steps === 0) return { start, training: undefined, end: undefined };
    const { epoch, ...training } = train(trainer, subject.feed(), steps);
    return { start, training, end: measure(epoch) };
  } finally {
    model.dispose();
  }
}

function train<Input>(
  trainer: Trainer<Input>,
  feed: Feed<Input>,
  steps: number,
): DiagnosedTraining & { readonly epoch: number } {
  const losses: number[] = [];
  const gradientNorms: number[] = [];
  let clippedSteps = 0;
  let reached = 0;
  let stopped: string | undefined;
  while (losses.length < steps && stopped === undefined) {
    const { input, epoch } = feed.next();
    try {
      const result = trainer.trainStep(input, { epoch });
      losses.push(result.loss);
      gradientNorms.push(result.gradientNorm);
      if (result.clipped) clippedSteps++;
      reached = epoch;
      feed.took(result.outcomes);
    } catch (error) {
      if (!(error instanceof LstmError) || error.code !== "notFinite") throw error;
      stopped = error.message;
    }
  }
  return { steps: losses.length, losses, gradientNorms, clippedSteps, stopped, epoch: reached };
}

/** A config's optimizer as a trainer takes it. */
export function trainerSettings({
  optimizer: group,
  seed,
}: Pick<RunConfig, "optimizer" | "seed">): TrainerSettingsInput & { readonly seed: number } {
  const { learningRate, clipping, gradientNoise, schedule, ...optimizer } = group;
  return {
    seed,
    optimizer,
    learningRate,
    clipping,
    schedule,
    ...(gradientNoise === null ? {} : { gradientNoise }),
  };
}
