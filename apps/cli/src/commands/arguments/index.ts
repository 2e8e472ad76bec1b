/**
 * Arguments of the commands that mean more than the command line itself can tell.
 *
 * @example
 * ```ts
 * parseCompared("model.cell=rnn,gru"); // { key: "model.cell", values: ["rnn", "gru"] }
 * clientSecurity({ tlsCa: "ca.pem", tokenFile: "token", … }); // for createCoordinatorClient
 * resolveOverrides(["data.files=a.txt"], "/here"); // with data.baseDirectory="/here"
 * ```
 *
 * @module
 */
export { parseCompared } from "./compared.js";
export type { Compared } from "./compared.js";
export { resolveOverrides } from "./overrides.js";
export { clientSecurity, serverSecurity } from "./security.js";
