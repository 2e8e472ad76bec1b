/**
 * Whether a played schedule kept every promise: checks over its history and the files that the run left, each of which
 * says in lines what it found broken.
 *
 * @example
 * const { problems } = await validate(played, { parametersSha256 });
 */
export { addFigures, NO_FIGURES } from "./figures.js";
export type { Figures } from "./figures.js";
export { CHECK_NAMES, validate } from "./validate.js";
export type { Problem, Verdict } from "./validate.js";
export { parametersOf } from "./facts.js";
