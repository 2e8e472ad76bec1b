/** YAML can say more than a config can mean: values that JSON has not, groups that contain themselves. */

import { visit } from "yaml";
import type { Document } from "yaml";

/** As deep as no config is; deeper ones would be too deep for those who walk through the values. */
const MAX_DEPTH = 64;

/**
 * Why a document's values are not those of a config, which are the ones that JSON has.
 *
 * @returns undefined if they are
 */
export function unplainValue(raw: unknown): string | undefined {
  const open = new Set<object>();
  const done = new Set<object>();
  const look = (value: unknown, key: string): string | undefined => {
    switch (typeof value) {
      case "string":
      case "number":
      case "boolean":
        return undefined;
      case "object":
        break;
      default:
        return `${key} is a ${typeof value}`;
    }
    // An alias leads to what was looked at already; more of them than can be looked at again and again.
    if (value === null || done.has(value)) return undefined;
    if (open.has(value)) return `${key} contains itself`;
    if (open.size >= MAX_DEPTH) return `${key} is deeper than ${MAX_DEPTH} groups`;
    if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
      return `${key} is a ${value.constructor.name}`;
    }
    open.add(value);
    for (const [name, member] of Object.entries(value)) {
      const problem = look(member, key === "" ? name : `${key}.${name}`);
      if (problem !== undefined) return problem;
    }
    open.delete(value);
    done.add(value);
    return undefined;
  };
  return look(raw, "");
}

/** JSON, in which a run keeps its config, has no negative zero: it would be another config when it is read again. */
export function dropNegativeZeros(document: Document): void {
  visit(document, {
    Scalar: (_, node) => {
      if (Object.is(node.value, -0)) node.value = 0;
    },
  });
}
