/** Something that is done again and again, and timed. */
export interface Work {
  once(): void;
  dispose(): void;
}
