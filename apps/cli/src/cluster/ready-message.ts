/** What a coordinator tells the process that started it, over IPC, once it listens. */
export interface ReadyMessage {
  readonly kind: "ready";
  /** Where workers connect. */
  readonly address: string;
  /** Where those of this machine do. */
  readonly localAddress: string;
  /** Base URL of /metrics. */
  readonly metricsAddress: string;
  readonly runDirectory: string;
  /** What there is to say before the first step. */
  readonly notes: readonly { readonly level: "info" | "warn"; readonly text: string }[];
}

/** What it tells before, when it has to wait for a former coordinator of its run. */
export interface WaitingMessage {
  readonly kind: "waiting";
  readonly text: string;
}

/** Whether what came over IPC is a coordinator's waiting message. */
export function isWaitingMessage(message: unknown): message is WaitingMessage {
  if (typeof message !== "object" || message === null) return false;
  const { kind, text } = message as Partial<Record<keyof WaitingMessage, unknown>>;
  return kind === "waiting" && typeof text === "string";
}

/** Whether what came over IPC is a coordinator's ready message. */
export function isReadyMessage(message: unknown): message is ReadyMessage {
  if (typeof message !== "object" || message === null) return false;
  const { kind, address, localAddress, metricsAddress, runDirectory, notes } = message as Partial<
    Record<keyof ReadyMessage, unknown>
  >;
  return (
    kind === "ready" &&
    typeof address === "string" &&
    typeof localAddress === "string" &&
    typeof metricsAddress === "string" &&
    typeof runDirectory === "string" &&
    Array.isArray(notes)
  );
}
