/**
 * Work beside the event loop: a thread that answers one request at a time, in the order asked.
 *
 * @example
 * const thread = new WorkThread<Request>(entry, { name: "arithmetic", workerData, onLost });
 * const sum = (await thread.ask({ kind: "add", into, other })) as Sum;
 * // and in the module `entry`, which is the thread's:
 * answerRequests<Request>(workerData => new Operations(workerData as Init));
 */
export { answerRequests } from "./answer-requests.js";
export type { Operations } from "./answer-requests.js";
export { WorkThread } from "./work-thread.js";
export type { WorkThreadOptions } from "./work-thread.js";
