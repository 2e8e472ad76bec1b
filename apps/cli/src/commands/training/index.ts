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
import type { Terminal } from "../terminal.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

export function createTrainingCommands(
  terminal: Terminal,
): Pick<Commands, "train" | "coordinator" | "worker"> {
  return {
    train: async (options) => (await import("./train.js")).train(options, terminal),
    coordinator: async (options) => {
      const { execArgv, env } = process;
      keepYoungGenerationSmall([...execArgv, ...(env.NODE_OPTIONS ?? "").split(" ")]);
      return (await import("./coordinator.js")).coordinator(options, terminal);
    },
    worker: async (options) => (await import("./worker.js")).worker(options, terminal),
  };
}
