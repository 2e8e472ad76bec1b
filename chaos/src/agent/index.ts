/**
 * What sits in a process under test, loaded before its program: it does to the process what only the inside can, such as
 * a blocked event loop, a full disk or a death between two system calls. The program itself knows nothing of it.
 */
export type { AgentCommand, AgentOrders, DiskFault, LedgerFault } from "./orders.js";
export { readFirings } from "./firings.js";
