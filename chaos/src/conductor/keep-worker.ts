/** Starts a slot's process again and again, until the run is over. */

import { once } from "node:events";
import type { AgentOrders } from "../agent/index.js";
import type { History } from "../history/index.js";
import { startProgram } from "../processes/index.js";
import type { Coordinator } from "./coordinator.js";
import type { Slot } from "./slot.js";

/** A worker is started so often: more than any schedule's faults end it. */
const MAX_STARTS = 12;

export interface KeepWorkerOptions {
  /** Of its command line. */
  readonly flags: readonly string[];
  readonly orders: Pick<AgentOrders, "desk" | "firings" | "mutation">;
  readonly history: History;
  readonly coordinator: Coordinator;
  /** Aborted when the run is over. */
  readonly over: AbortSignal;
}

/** A worker that ends before the run does is followed by another one. */
export async function keepWorker(slot: Slot, options: KeepWorkerOptions): Promise<void> {
  const { flags, orders, history, coordinator, over } = options;
  const { number } = slot;
  const isOver = (): boolean => over.aborted;
  for (let start = 1; start <= MAX_STARTS; start++) {
    await slot.mayStart();
    if (isOver()) return;
    const program = startProgram(["worker", ...flags], { ...orders, ledger: [], disk: [] });
    slot.begin(program);
    const { pid } = program;
    const about = { kind: "process", role: "worker", slot: number, pid } as const;
    history.add({ ...about, what: "started" });
    const { code, signal, stderr } = await program.exited;
    const lastLine = stderr.trim().split("\n").at(-1) ?? "";
    history.add({ ...about, what: "exited", code, signal, lastLine });
    // Whether it has more to do shows when the coordinator that sent it away has ended.
    const life = slot.stoppedInLife;
    if (life === undefined || code !== 0 || isOver()) continue;
    await Promise.race([coordinator.lifeAfter(life), once(over, "abort")]);
  }
}
