/** Which keys a resume must find unchanged, and the digest that stands for them. */

import { createHash } from "node:crypto";

import { RunError } from "../errors/index.js";
import type { KeyMeta, KeyRole } from "./keys.js";
import { runConfigSchema } from "./schema.js";
import type { RunConfig } from "./schema.js";
import { keysOf } from "./schema-walk.js";

let metas: ReadonlyMap<string, KeyMeta> | undefined;

function keyMetas(): ReadonlyMap<string, KeyMeta> {
  metas ??= new Map(
    [...keysOf(runConfigSchema)].flatMap(({ path, meta }) =>
      meta === undefined ? [] : [[path, meta] as const],
    ),
  );
  return metas;
}

/** The role of every key, by dotted path. */
export function keyRoles(): ReadonlyMap<string, KeyRole> {
  return new Map([...keyMetas()].map(([path, { role }]) => [path, role]));
}

/**
 * Whether another value of a key is refused on resume.
 *
 * @param path dotted, such as `training.batchSize`
 * @throws RunError 'unknownKey'
 */
export function keyRole(path: string): KeyRole {
  const role = keyMetas().get(path)?.role;
  if (role === undefined) throw new RunError("unknownKey", `${path}: unknown key`);
  return role;
}

/**
 * SHA-256 (hex) of all trajectory keys and their values: equal digests promise equal parameters. A key that came
 * later counts where it changes something: the checkpoints of runs begun before it stay theirs.
 */
export function trajectoryDigest(config: RunConfig): string {
  const entries = [...trajectoryValues(config)]
    .filter(([path, value]) => JSON.stringify(keyMetas().get(path)?.before) !== value)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("hex");
}

/** The trajectory keys, sorted, whose values differ or which only one of the configs has. */
export function changedTrajectoryKeys(a: RunConfig, b: RunConfig): string[] {
  const before = trajectoryValues(a);
  const after = trajectoryValues(b);
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
}

/**
 * Makes sure that a resume with `given` leads to what the run's own config would have led to.
 *
 * @throws RunError 'trajectoryChanged' naming the first key that differs, with both values
 */
export function requireSameTrajectory(stored: RunConfig, given: RunConfig): void {
  const changed = changedTrajectoryKeys(stored, given);
  // Another kind explains the keys that only one of the two has.
  const key = changed.find((path) => path.endsWith(".kind")) ?? changed[0];
  if (key === undefined) return;
  const others = changed.filter((path) => path !== key);
  const was = trajectoryValues(stored).get(key) ?? "not set";
  const is = trajectoryValues(given).get(key) ?? "not set";
  const more = others.length === 0 ? "" : ` (the same goes for ${others.join(", ")})`;
  throw new RunError(
    "trajectoryChanged",
    `${key} is ${is}, but the run was begun with ${was}: a resume cannot change it${more}`,
  );
}

/** The values as JSON, by dotted path. */
function trajectoryValues(config: RunConfig): Map<string, string> {
  const values = new Map<string, string>();
  const visit = (group: object, prefix: string): void => {
    for (const [name, value] of Object.entries(group) as [string, unknown][]) {
      const path = `${prefix}${name}`;
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        visit(value, `${path}.`);
      } else if (keyRole(path) === "trajectory") {
        values.set(path, JSON.stringify(value));
      }
    }
  };
  visit(config, "");
  return values;
}
