import type { Mutation } from "./mutation.js";
import { MUTATIONS_OF_CONDUCT } from "./of-conduct.js";
import { MUTATIONS_OF_RESULTS } from "./of-results.js";

export const MUTATIONS: readonly Mutation[] = [...MUTATIONS_OF_RESULTS, ...MUTATIONS_OF_CONDUCT];

/** @throws RangeError for a name that none has */
export function findMutation(name: string): Mutation {
  const found = MUTATIONS.find((mutation) => mutation.name === name);
  if (found === undefined) {
    const names = MUTATIONS.map((mutation) => mutation.name).join(", ");
    throw new RangeError(`${name} is no mutation; there are ${names}`);
  }
  return found;
}
