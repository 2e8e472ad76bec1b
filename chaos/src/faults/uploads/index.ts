/** What is wrong with an upload: how it comes, and what it says. */
export { passedUpload, repaired } from "./passed-upload.js";
export type { PassedUpload } from "./passed-upload.js";
export { scaled } from "./frame-values.js";
export { UPLOAD_FAULTS } from "./upload-faults.js";
