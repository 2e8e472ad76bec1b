/**
 * Attention over the outputs of another stack, row by row.
 *
 * @example
 * const memory = attentionMemory(pass, "additive", encoderOutputs, rows);
 * const { contexts, backward } = attention(pass, memory, { values: decoderOutputs, rows });
 */
export { attention } from "./attention.js";
export type { AttentionRun, Queries } from "./attention.js";
export { attentionMemory } from "./memory.js";
export type { AttentionMemory } from "./memory.js";
