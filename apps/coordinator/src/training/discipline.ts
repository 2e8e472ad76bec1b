/** Sends workers away that can't be trusted: they fail too often, or others have shown that they are wrong. */

import { Conduct } from "../membership/index.js";
import type { WorkerTable } from "../membership/index.js";
import type { Metrics } from "../ops/index.js";
import type { WorkerSession } from "../sessions/index.js";

export interface DisciplineModules {
  readonly metrics: Pick<Metrics, "workersQuarantined">;
  readonly workers: WorkerTable<WorkerSession>;
  /** Its leases are no longer its own. */
  readonly release: (workerId: string) => void;
  readonly notify: (level: "info" | "warn", text: string) => void;
}

export class Discipline {
  readonly #modules: DisciplineModules;
  readonly #conduct = new Conduct();
  readonly #accused = new Set<string>();

  constructor(modules: DisciplineModules) {
    this.#modules = modules;
  }

  /** The worker did something that only a fault of its own explains: too much of it in a row, and it goes. */
  failed(workerId: string, detail: string): void {
    if (this.#modules.workers.get(workerId)?.link === undefined) return;
    if (!this.#conduct.failed(workerId)) return;
    this.#quarantine(
      workerId,
      `${workerId} is quarantined: it failed too often in a row, last: ${detail}`,
    );
  }

  succeeded(workerId: string): void {
    this.#conduct.succeeded(workerId);
  }

  /**
   * The worker is wrong for certain, whether it is still here or not. Of several nodes of a step, that is told
   * once.
   */
  accuse(workerId: string, reason: string): void {
    if (this.#accused.has(workerId)) return;
    this.#accused.add(workerId);
    this.#quarantine(workerId, reason);
  }

  /** The identity is dead. */
  forget(workerId: string): void {
    this.#conduct.forget(workerId);
  }

  #quarantine(workerId: string, reason: string): void {
    const { workers, metrics, notify, release } = this.#modules;
    const worker = workers.get(workerId);
    if (worker?.state === "quarantined") return;
    notify("warn", reason);
    const session = worker?.link;
    if (session === undefined) return;
    workers.quarantine(workerId);
    metrics.workersQuarantined.inc();
    release(workerId);
    void session.stop(true, reason);
  }
}
