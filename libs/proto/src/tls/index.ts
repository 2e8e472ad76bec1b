/**
 * Encryption of both sides, from PEM files: TLS 1.3, and certificates of clients where a server asks for them.
 *
 * @example
 * const tls = new ServerTls({ certificate: "tls.crt", key: "tls.key" }, { wallTimeMs, report });
 * server.bindAsync(address, tls.credentials(), bound);
 */
export type { ClientTlsFiles } from "./client-tls.js";
export { clientTls } from "./client-tls.js";
export type { ServerTlsFiles, ServerTlsModules } from "./server-tls.js";
export { ServerTls } from "./server-tls.js";
