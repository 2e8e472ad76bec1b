/**
 * Promises broken on purpose: each mutation is a change of built files, made while they are loaded. What the validator
 * does not notice of them, it would not notice of a real fault either.
 */
export { findMutation, MUTATIONS } from "./mutations.js";
export type { Mutation, MutationFault, SourceChange } from "./mutation.js";
