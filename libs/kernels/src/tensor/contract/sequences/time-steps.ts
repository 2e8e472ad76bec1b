/** At most this many time steps pass between two calls of `onTimeSteps`. */
export const TIME_STEPS_PER_REPORT = 16;

/** Told how many time steps of this sequence are done; it may throw to stop the kernel. */
export type OnTimeSteps = (timeSteps: number) => void;
