/**
 * Real processes of this program, with the agent in them, and what the system says that they hold.
 *
 * @example
 * const worker = startProgram(["worker", "--coordinator", way.address], { agent });
 * const { code, signal } = await worker.exited;
 */
export { AgentDesk } from "./agent-desk.js";
export { startProgram } from "./program.js";
export type { Program, ProgramExit } from "./program.js";
export { readResources } from "./resources.js";
