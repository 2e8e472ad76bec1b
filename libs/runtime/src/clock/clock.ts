/** A timer that has been set; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time, given to whoever needs it. */
export interface Clock {
  /** Milliseconds since a fixed moment; never goes back, and says nothing about the date. */
  now(): number;
  wallTime(): Date;
  /** Calls `fire` once, `delayMs` from now. A set timer keeps the process alive. */
  setTimer(delayMs: number, fire: () => void): Timer;
  /** Resolves when what else is ready has had its turn: for long work, between its parts. */
  nextTurn(): Promise<void>;
}

/** Node takes a longer delay for 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The real time. */
export const systemClock: Clock = {
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  now: () => performance.now(),
  wallTime: () => new Date(),
  setTimer: (delayMs, fire) => {
    const endMs = performance.now() + delayMs;
    let handle: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      handle = setTimeout(
        () => {
          const stillMs = endMs - performance.now();
          if (leftMs > LONGEST_DELAY_MS && stillMs > 0) wait(stillMs);
          else fire();
        },
        Math.min(leftMs, LONGEST_DELAY_MS),
      );
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
