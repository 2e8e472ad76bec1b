/** Why the process is to end: a signal, or the parent that started it is gone. */
export type ShutdownCause =
  | { readonly kind: "signal"; readonly signal: "SIGTERM" | "SIGINT" }
  | { readonly kind: "parentGone" };

/** The wish that the process ends. It is made once; what comes later changes nothing. */
export interface Shutdown {
  /** Aborts when the process is to end. */
  readonly signal: AbortSignal;
  /** Undefined until then. */
  readonly cause: ShutdownCause | undefined;
  request(cause: ShutdownCause): void;
  /**
   * The exit code that tells the cause: 128 + the signal's number (143, 130), 1 when the parent is
   * gone, 0 when nobody asked. A process that finished its work in spite of it may choose another.
   */
  exitCode(): number;
  /** Stops listening: signals have their default effect again. */
  dispose(): void;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const SIGNAL_EXIT_CODE = { SIGTERM: 143, SIGINT: 130 } as const;

/**
 * Listens for SIGTERM, SIGINT and, in a child process with an IPC channel, for the parent's death.
 * While it listens, the channel keeps the process alive.
 */
export function createShutdown(): Shutdown {
  const controller = new AbortController();
  let cause: ShutdownCause | undefined;
  const request = (requested: ShutdownCause): void => {
    if (cause !== undefined) return;
    cause = requested;
    controller.abort();
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
      return cause;
    },
    request,
    exitCode: () => {
      switch (cause?.kind) {
        case undefined:
          return 0;
        case "signal":
          return SIGNAL_EXIT_CODE[cause.signal];
        case "parentGone":
          return 1;
      }
    },
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off("disconnect", onDisconnect);
    },
  };
}
