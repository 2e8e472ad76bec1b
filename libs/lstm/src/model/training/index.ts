/**
 * Training in this process, without any cluster.
 *
 * @example
 * const trainer = createTrainer({ model, seed: 1, optimizer: { kind: "adam" }, learningRate: 1e-3 });
 * for (const batch of batches) trainer.trainStep({ batch });
 * model.setParameters(trainer.parameters);
 */
export { sequenceBatch, tensorOf } from "./tensors.js";
export type { SequenceTensors } from "./tensors.js";
export type { StepKey, Trainable } from "./trainable.js";
export { createTrainer } from "./trainer.js";
export type { StepResult, Trainer, TrainerOptions, TrainerState } from "./trainer.js";
export type { TrainerSettingsInput } from "./trainer-settings.js";
