/**
 * Who may reach a coordinator, and how.
 *
 * @example
 * const { tls, guard } = openSecurity({ tls: files, tokenFile }, { clock, registry, report });
 */
export { openSecurity } from "./open-security.js";
export type { Security, SecurityFiles, SecurityModules } from "./open-security.js";
