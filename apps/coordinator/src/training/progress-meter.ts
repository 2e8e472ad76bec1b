/** How fast the run goes, over its last steps, and when it will be done. */

interface Mark {
  readonly atMs: number;
  readonly tokens: number;
}

const WINDOW_STEPS = 32;

/** Measures from one step to another: what came before the first one is waiting, not work. */
export class ProgressMeter {
  readonly #marks: Mark[] = [];
  #tokens = 0;

  step(tokens: number, nowMs: number): void {
    this.#tokens += tokens;
    this.#marks.push({ atMs: nowMs, tokens: this.#tokens });
    if (this.#marks.length > WINDOW_STEPS + 1) this.#marks.shift();
  }

  /** NaN after less than two steps. */
  get tokensPerSecond(): number {
    const { tokens, seconds } = this.#window();
    return seconds > 0 ? tokens / seconds : NaN;
  }

  /** NaN after less than two steps, unless none is left. */
  secondsLeft(stepsLeft: number): number {
    if (stepsLeft === 0) return 0;
    const { seconds, steps } = this.#window();
    return steps > 0 ? (seconds / steps) * stepsLeft : NaN;
  }

  #window(): { readonly tokens: number; readonly seconds: number; readonly steps: number } {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined) return { tokens: 0, seconds: 0, steps: 0 };
    return {
      tokens: last.tokens - first.tokens,
      seconds: (last.atMs - first.atMs) / 1000,
      steps: this.#marks.length - 1,
    };
  }
}
