/**
 * What a run is at: finds its coordinator, asks it, and says what came back.
 *
 * @example
 * ```ts
 * const target = await findTarget("runs/moby-dick-20261124T031509Z", { folder, ask });
 * const answer = await askTarget(target, ask);
 * stdout.write(answerText(answer, 80));
 * ```
 *
 * @module
 */
export { askCoordinator, askTarget } from "./answer.js";
export type { Answer, AskCoordinator, Asked } from "./answer.js";
export { answerJson, answerText } from "./answer-text.js";
export { findTarget } from "./target.js";
export type { Target } from "./target.js";
export { timeoutsJson, timeoutsText } from "./timeouts-text.js";
