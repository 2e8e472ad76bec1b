/** Errors that nobody caught: nothing is known of the process's state after one, so it has to end. */

/** Where such errors show; `process` is one. */
export interface StrayErrorSource {
  on(event: StrayEvent, listener: (error: unknown) => void): unknown;
  off(event: StrayEvent, listener: (error: unknown) => void): unknown;
}

type StrayEvent = "uncaughtException" | "unhandledRejection";

const EVENTS: readonly StrayEvent[] = ["uncaughtException", "unhandledRejection"];

/**
 * Calls `onFirst` with the first error that nobody caught, and `onFurther` with each one after it, as
 * when ending because of the first goes wrong.
 *
 * @returns stops listening: such an error ends the process as Node has it again
 */
export function watchStrayErrors(
  source: StrayErrorSource,
  listeners: {
    readonly onFirst: (error: unknown) => void;
    readonly onFurther: (error: unknown) => void;
  },
): () => void {
  let isFirst = true;
  const onStray = (error: unknown): void => {
    const { onFirst, onFurther } = listeners;
    const listener = isFirst ? onFirst : onFurther;
    isFirst = false;
    listener(error);
  };
  for (const event of EVENTS) source.on(event, onStray);
  return () => {
    for (const event of EVENTS) source.off(event, onStray);
  };
}
