import { setTimeout as sleep } from "node:timers/promises";
import type { Way } from "../proxy/index.js";
import type { Slot } from "./slot.js";

/** A worker that was told that the run is over ends by then. */
const LONGEST_GOODBYE_MS = 20_000;

/**
 * Waits for those who were told to go, and ends those who did not.
 *
 * @param meanwhile what faults are still at
 * @returns what was still there then
 */
export async function takeLeave(
  slots: readonly Slot[],
  ways: readonly Way[],
  meanwhile: readonly Promise<void>[],
): Promise<readonly string[]> {
  const leftOver: string[] = [];
  const bound = sleep(LONGEST_GOODBYE_MS, undefined, { ref: false });
  await Promise.race([Promise.all(meanwhile), bound]);
  for (const { number, program, isAttached, stoppedInLife } of slots) {
    if (program === undefined) continue;
    // One that came too late to be told: it would look for the coordinator for a while.
    if (!isAttached && stoppedInLife === undefined) program.kill("SIGTERM");
    await Promise.race([program.exited, bound]);
    if (!program.isRunning) continue;
    leftOver.push(`worker ${number}, process ${program.pid}`);
    program.kill("SIGCONT");
    program.kill("SIGKILL");
    await program.exited;
  }
  for (const [index, { relay }] of ways.entries()) {
    const { numConnections } = relay;
    if (numConnections > 0) leftOver.push(`${numConnections} connections of worker ${index + 1}`);
  }
  return leftOver;
}
