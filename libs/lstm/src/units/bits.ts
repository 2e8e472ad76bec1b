/** A mean cross-entropy in nats, as training computes it, in bits a symbol. */
export function bitsPerSymbol(nats: number): number {
  return nats / Math.LN2;
}
