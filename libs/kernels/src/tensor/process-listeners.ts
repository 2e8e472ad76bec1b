/** What is used of Node's `process`, which other runtimes lack. */
interface ProcessEvents {
  listeners(event: string): ((...values: never[]) => unknown)[];
  removeListener(event: string, listener: (...values: never[]) => unknown): unknown;
}

declare const process: ProcessEvents | undefined;

const FATAL_EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/**
 * Runs `load`, then takes out the handlers of fatal errors that it installed.
 *
 * Emscripten's start-up code, in the wasm backend, installs two that throw the error again: any
 * rejection that someone else would have handled then ends the process at once, with exit code 7 and
 * without a shutdown. How a process ends is its own decision.
 */
export async function withoutFatalErrorHandlers<T>(load: () => Promise<T>): Promise<T> {
  const events = typeof process === "undefined" ? undefined : process;
  if (events === undefined) return load();
  const before = FATAL_EVENTS.map((event) => new Set(events.listeners(event)));
  try {
    return await load();
  } finally {
    for (const [index, event] of FATAL_EVENTS.entries()) {
      for (const listener of events.listeners(event)) {
        if (!before[index]?.has(listener)) events.removeListener(event, listener);
      }
    }
  }
}
