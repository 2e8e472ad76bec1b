/** What a run of chaos is asked for. */
export { readOptions } from "./options.js";
export type { ChaosOptions } from "./options.js";
