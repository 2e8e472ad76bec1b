import type { Clock } from "../clock/index.js";
import { systemClock } from "../clock/index.js";
import { StopRequests } from "./stop-requests.js";

/** Why the process is to end: a signal, or the parent that started it is gone. */
export type ShutdownCause =
  | { readonly kind: "signal"; readonly signal: "SIGTERM" | "SIGINT" }
  | { readonly kind: "parentGone" };

/** The wish that the process ends. It is made once; who makes it again insists (see `onInsist`). */
export interface Shutdown {
  /** Aborts when the process is to end. */
  readonly signal: AbortSignal;
  /** The first cause, which stays; undefined until then. */
  readonly cause: ShutdownCause | undefined;
  request(cause: ShutdownCause): void;
  /**
   * Calls `listener` when the process, asked to end already, is asked again, so that it should end
   * at once: at a further signal, and when the parent is gone, as nobody is left to end well for.
   *
   * A signal within a second of the first cause does not count: npm passes a Ctrl-C on to a child
   * that has it from the terminal already, some milliseconds apart.
   */
  onInsist(listener: (cause: ShutdownCause) => void): void;
  /** What `exitCodeOf` says of the first cause. A process that finished its work in spite of it may
   * choose another. */
  exitCode(): number;
  /** Stops listening: signals have their default effect again. */
  dispose(): void;
}

/** The one table of what a process ends with because of a signal: 128 + the signal's number. */
export const SIGNAL_EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** The exit code that tells a cause: a signal's, 1 when the parent is gone, 0 when nobody asked. */
export function exitCodeOf(cause: ShutdownCause | undefined): number {
  switch (cause?.kind) {
    case undefined:
      return 0;
    case "signal":
      return SIGNAL_EXIT_CODES[cause.signal];
    case "parentGone":
      return 1;
  }
}

/**
 * Listens for SIGTERM, SIGINT and, in a child process with an IPC channel, for the parent's death.
 * While it listens, the channel keeps the process alive.
 *
 * @param clock tells a repeated signal from a second one
 */
export function createShutdown(clock: Clock = systemClock): Shutdown {
  const controller = new AbortController();
  const insistListeners: ((cause: ShutdownCause) => void)[] = [];
  const requests = new StopRequests(clock);
  let first: ShutdownCause | undefined;
  const request = (cause: ShutdownCause): void => {
    const taken = requests.take();
    if (taken === "first") {
      first = cause;
      controller.abort();
    } else if (taken === "second" || cause.kind === "parentGone") {
      for (const listener of insistListeners) listener(cause);
    }
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === "SIGTERM" || signal === "SIGINT") request({ kind: "signal", signal });
  };
  const onDisconnect = (): void => request({ kind: "parentGone" });

  for (const signal of SIGNALS) process.on(signal, onSignal);
  if (process.send !== undefined) {
    process.on("disconnect", onDisconnect);
    // The parent may have died before anyone listened.
    if (!process.connected) onDisconnect();
  }
  return {
    signal: controller.signal,
    get cause() {
      return first;
    },
    request,
    onInsist: (listener) => {
      insistListeners.push(listener);
    },
    exitCode: () => exitCodeOf(first),
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off("disconnect", onDisconnect);
    },
  };
}
