/**
 * The commands that train: a local cluster, and each of its processes alone.
 *
 * @example
 * ```ts
 * const { worker } = createTrainingCommands(terminal);
 * process.exitCode = await worker(options);
 * ```
 *
 * @module
 */
import type { Commands } from "../../command-line/index.js";
import { loadErrorKinds } from "../../errors/index.js";
import type { Terminal } from "../terminal.js";
import { keepHeapSmall } from "./heap-growth.js";

export function createTrainingCommands(
  terminal: Terminal,
): Pick<Commands, "train" | "coordinator" | "worker"> {
  return {
    train: async (options) => {
      const { train } = await import("./train.js");
      await loadErrorKinds();
      return train(options, terminal);
    },
    coordinator: async (options) => {
      const { execArgv, env } = process;
      keepHeapSmall([...execArgv, ...(env.NODE_OPTIONS ?? "").split(" ")]);
      const { coordinator } = await import("./coordinator.js");
      await loadErrorKinds();
      return coordinator(options, terminal);
    },
    worker: async (options) => {
      const { worker } = await import("./worker.js");
      await loadErrorKinds();
      return worker(options, terminal);
    },
  };
}
