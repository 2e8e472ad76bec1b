import type { PreparedWorker } from "@ostinato/worker";

/** Where a command writes, and who it is. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The folder that the command was given in, absolute. */
  readonly folder: string;
  /** This program's main file, for children. */
  readonly mainFile: string;
  /** Of a process that stood by to be a worker. */
  readonly worker: PreparedWorker | undefined;
}
