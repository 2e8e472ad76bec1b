/** The keys of a run's and a task's arithmetic. */

import { z } from "zod";

import { addedTrajectory, operational } from "./keys.js";
import { leafCount, LEAF_COUNTS } from "./leaf-count.js";

// The profile that a backend amounts to stands in the ledger and guards itself: hence operational.
const NUMERICS_KEYS = {
  backend: operational(
    "'auto', 'native', 'wasm', 'cpu' or 'native-bfloat16'",
    z.enum(["auto", "native", "wasm", "cpu", "native-bfloat16"]).default("auto"),
  ),
  /** `relaxed` lets a resume or a worker bring another numerics profile. */
  determinism: operational(
    "'strict' or 'relaxed'",
    z.enum(["strict", "relaxed"]).default("strict"),
  ),
} as const;

/** Of a task, whose gradients never leave its process. */
export const numerics = z.strictObject(NUMERICS_KEYS).readonly();

export const runNumerics = z
  .strictObject({
    ...NUMERICS_KEYS,
    /** What workers send their gradients in: `bfloat16` is half the bytes, and rounds them. */
    gradients: addedTrajectory(
      "'float32' or 'bfloat16'",
      "float32",
      z.enum(["float32", "bfloat16"]).default("float32"),
    ),
    /** Leaves that a worker adds up before it rounds; null: an eighth of `training.microShards`. See `roundedLeaves`. */
    gradientLeaves: addedTrajectory(
      `${LEAF_COUNTS}, or null`,
      null,
      leafCount().nullable().default(null),
    ),
  })
  .readonly();
