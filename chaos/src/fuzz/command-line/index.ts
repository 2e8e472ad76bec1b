/** What `npm run fuzz` is asked for, and what it says. */
export { inputOf, inputText } from "./input-text.js";
export { readFuzzOptions } from "./options.js";
export type { FuzzOptions } from "./options.js";
export { reproducer, tableHead, tableRow } from "./report.js";
