/** Workers that are started before their coordinator is ready, and wait for their command line. */

import type { PreparedWorker } from "@ostinato/worker";

/** In place of a command's name; not one that people are to use. */
const STANDBY = "standby";

/** What a standing worker is told over IPC. */
interface StartMessage {
  readonly kind: "start";
  readonly programArguments: readonly string[];
}

/** The command line of a process that stands by to be a worker of this many threads; undefined: one a processor. */
export function standbyArguments(threads: number | undefined): readonly string[] {
  return threads === undefined ? [STANDBY] : [STANDBY, String(threads)];
}

export function startMessage(programArguments: readonly string[]): StartMessage {
  return { kind: "start", programArguments };
}

/** A process as it stands by. */
export interface StandbyProcess {
  /** Whether there is a parent to talk to. */
  readonly connected: boolean;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "disconnect", listener: () => void): unknown;
  exit(code: number): never;
}

export interface Standby {
  readonly programArguments: readonly string[];
  readonly worker: PreparedWorker;
}

/**
 * If the arguments say so, prepares a worker and waits until the process is told what to do; it ends when
 * the process that started it ends.
 *
 * @param prepare loads what a worker takes, and starts its thread
 * @returns undefined for any other command line, or for a process whose parent is gone
 */
export async function standBy(
  programArguments: readonly string[],
  self: StandbyProcess,
  prepare: (threads: number | undefined) => Promise<PreparedWorker>,
): Promise<Standby | undefined> {
  const [command, threads] = programArguments;
  // Without a parent that would tell it what to do, it is a command like any other that does not exist.
  if (command !== STANDBY || !self.connected) return undefined;
  const told = new Promise<readonly string[]>((resolve) => {
    const onMessage = (message: unknown): void => {
      if (!isStartMessage(message)) return;
      self.off("message", onMessage);
      resolve(message.programArguments);
    };
    self.on("message", onMessage);
  });
  const onDisconnect = (): void => self.exit(0);
  self.on("disconnect", onDisconnect);
  const worker = await prepare(threads === undefined ? undefined : Number(threads));
  const given = await told;
  // From here on that is the worker's own matter.
  self.off("disconnect", onDisconnect);
  return { programArguments: given, worker };
}

function isStartMessage(message: unknown): message is StartMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    "kind" in message &&
    message.kind === "start" &&
    "programArguments" in message &&
    Array.isArray(message.programArguments)
  );
}
