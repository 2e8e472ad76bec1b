/**
 * Training in this process, without any cluster.
 *
 * @example
 * const trainer = createTrainer({ model, seed: 1, optimizer: { kind: "adam" }, learningRate: 1e-3 });
 * for (const batch of batches) trainer.trainStep({ batch });
 * const outputs = model.predict(batch);
 */
export type { StepKey, Trainable } from "./trainable.js";
export { createTrainer } from "./trainer.js";
export type { StepResult, Trainer, TrainerOptions } from "./trainer.js";
export type { TrainerState } from "./trainer-state.js";
export type { TrainerSettingsInput } from "./trainer-settings.js";
