/** A child process of this program: what it says over IPC, and how it ended. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ChildExit {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The last line that it wrote to standard error, without the program's name; "" if none. */
  readonly lastLine: string;
}

export interface Child {
  /** Undefined when it could not be started at all; then it has exited as well. */
  readonly pid: number | undefined;
  readonly exited: Promise<ChildExit>;
  onMessage(listener: (message: unknown) => void): void;
  /** Nothing happens if it has ended. */
  send(message: object): void;
  kill(signal: NodeJS.Signals): void;
  /** Closes the IPC channel, upon which a child ends by itself. */
  release(): void;
}

/** Starts this program with other arguments, and with flags of Node's beside those of this process. */
export type StartChild = (
  programArguments: readonly string[],
  nodeFlags?: readonly string[],
) => Child;

/**
 * Starts children as processes of `mainFile`, each in a process group of its own: a Ctrl-C at the
 * terminal reaches the launcher alone, which passes it on in the right order. A child ends when its
 * IPC channel closes, and so with the launcher, however that one ends.
 */
export function createStartChild(mainFile: string): StartChild {
  return (programArguments, nodeFlags = []) => {
    const nodeArguments = [...nodeFlags, ...process.execArgv, mainFile];
    const child = spawn(process.execPath, [...nodeArguments, ...programArguments], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      detached: true,
    });
    let lastLine = "";
    // The 'close' event would wait for an IPC channel that was closed on this side, for ever.
    const ended = new Promise<Omit<ChildExit, "lastLine">>((resolve) => {
      child.once("exit", (code, signal) => {
        resolve({ code: code ?? undefined, signal: signal ?? undefined });
      });
      child.once("error", ({ message }) => {
        if (child.pid !== undefined) return;
        lastLine = message;
        resolve({ code: 1, signal: undefined });
      });
    });
    const lastWords = new Promise<void>((resolve) => {
      if (child.stderr === null) {
        resolve();
        return;
      }
      createInterface({ input: child.stderr })
        .on("line", (line) => {
          if (line.trim() !== "") lastLine = line.replace(/^ostinato: /, "");
        })
        .once("close", resolve);
    });
    const exited = Promise.all([ended, lastWords]).then(([end]) => ({ ...end, lastLine }));
    return {
      pid: child.pid,
      exited,
      onMessage: (listener) => {
        child.on("message", listener);
      },
      send: (message) => {
        // That it is gone, its exit says.
        if (child.connected) child.send(message, () => undefined);
      },
      kill: (signal) => {
        child.kill(signal);
      },
      release: () => {
        if (child.connected) child.disconnect();
      },
    };
  };
}
