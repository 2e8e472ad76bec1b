/** One of those that are compared: prepared once for a case, then measured again and again, in turn. */

export interface Sample {
  /** Of one repetition. */
  readonly ms: number;
  /** Other numbers taken along, such as the seconds of a phase. */
  readonly details?: Readonly<Record<string, number>>;
}

export interface Side<Case> {
  /** Such as `wasm` or `pytorch`. */
  readonly name: string;
  /**
   * Gets ready for a case, and forgets the one before.
   *
   * @throws BenchError `sideFailed` with the reason
   */
  prepare(measured: Case): Promise<void>;
  /** @throws BenchError `sideFailed` with the reason */
  measure(seconds: number): Promise<Sample>;
  close(): Promise<void>;
}
