/** How fast the run goes, over its last steps, and when it will be done. */

interface Mark {
  readonly atMs: number;
  readonly samples: number;
}

const WINDOW_STEPS = 32;

/** Measures from one step to another: what came before the first one is waiting, not work. */
export class ProgressMeter {
  readonly #marks: Mark[] = [];
  #samples = 0;

  step(samples: number, nowMs: number): void {
    this.#samples += samples;
    this.#marks.push({ atMs: nowMs, samples: this.#samples });
    if (this.#marks.length > WINDOW_STEPS + 1) this.#marks.shift();
  }

  /** NaN after less than two steps. */
  get samplesPerSecond(): number {
    const { samples, seconds } = this.#window();
    return seconds > 0 ? samples / seconds : NaN;
  }

  /** NaN after less than two steps, unless none is left. */
  secondsLeft(stepsLeft: number): number {
    if (stepsLeft === 0) return 0;
    const { seconds, steps } = this.#window();
    return steps > 0 ? (seconds / steps) * stepsLeft : NaN;
  }

  #window(): { readonly samples: number; readonly seconds: number; readonly steps: number } {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined) return { samples: 0, seconds: 0, steps: 0 };
    return {
      samples: last.samples - first.samples,
      seconds: (last.atMs - first.atMs) / 1000,
      steps: this.#marks.length - 1,
    };
  }
}
