/** What a coordinator tells the process that started it, over IPC, once it listens. */
export interface ReadyMessage {
  readonly kind: "ready";
  /** HOST:PORT for workers. */
  readonly address: string;
  /** Base URL of /metrics. */
  readonly metricsAddress: string;
  readonly runDirectory: string;
}

/** Whether what came over IPC is a coordinator's ready message. */
export function isReadyMessage(message: unknown): message is ReadyMessage {
  if (typeof message !== "object" || message === null) return false;
  const { kind, address, metricsAddress, runDirectory } = message as Partial<
    Record<keyof ReadyMessage, unknown>
  >;
  return (
    kind === "ready" &&
    typeof address === "string" &&
    typeof metricsAddress === "string" &&
    typeof runDirectory === "string"
  );
}
