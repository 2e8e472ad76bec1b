/** Logits held at a time by the loss kernels, 4 MiB of them. */
const MAX_LOGITS = 1 << 20;

/**
 * Positions in one block of the loss kernels. It depends on the vocabulary alone: a block boundary
 * that moved with the batch would change the order in which weight gradients are summed.
 */
export function positionsPerBlock(vocabularySize: number): number {
  return Math.max(16, Math.floor(MAX_LOGITS / vocabularySize));
}
