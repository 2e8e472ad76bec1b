/**
 * What each command does. Each is loaded when it is asked for: `train`, `summary` and `verify` load no
 * TensorFlow, `worker` loads no coordinator.
 *
 * @example
 * ```ts
 * const { verify } = createCommands({ stdout, stderr, folder: process.cwd(), mainFile });
 * process.exitCode = await verify({ run: "runs/moby-dick-20261124T031509Z", json: false });
 * ```
 *
 * @module
 */
import type { Commands } from "../command-line/index.js";
import type { Terminal } from "./terminal.js";
import { createTrainingCommands } from "./training/index.js";

export type { Terminal } from "./terminal.js";

export function createCommands(terminal: Terminal): Commands {
  return {
    ...createTrainingCommands(terminal),
    generate: async (options) => (await import("./generate.js")).generate(options, terminal),
    evaluate: async (options) => (await import("./evaluate.js")).evaluate(options, terminal),
    predict: async (options) => (await import("./predict.js")).predict(options, terminal),
    summary: async (options) => (await import("./summary.js")).summary(options, terminal),
    diagnose: async (options) => (await import("./diagnose.js")).diagnose(options, terminal),
    translate: async (options) => (await import("./translate.js")).translate(options, terminal),
    status: async (options) => (await import("./status.js")).status(options, terminal),
    doctor: async (options) => (await import("./doctor.js")).doctor(options, terminal),
    verify: async (options) => (await import("./verify.js")).verify(options, terminal),
  };
}
