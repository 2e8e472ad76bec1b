/**
 * Who may call what: tokens with roles, from a file, compared in constant time.
 *
 * @example
 * const tokens = new Tokens(readTokenFile("tokens"));
 * accessProblem(tokens, "/ostinato.v1.Coordinator/Join", "Bearer …"); // undefined, or why not
 */
export { accessProblem, authorizationOf, isHealthCall, isKnownCall, roleOf } from "./access.js";
export { isSameSecret } from "./secrets.js";
export type { Role, Token } from "./tokens.js";
export { readOwnToken, readTokenFile, Tokens } from "./tokens.js";
