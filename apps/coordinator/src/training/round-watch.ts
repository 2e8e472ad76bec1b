/** Looks, every so often while a round is collected, for leases and workers in which nothing moves. */

import { WireError } from "@ostinato/proto";
import type { Clock, Timer } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import type { LeaseRecord } from "../leases/index.js";
import type { WorkerTable } from "../membership/index.js";
import type { WorkerSession } from "../sessions/index.js";
import type { CurrentRound, Round } from "./current-round.js";

export interface RoundWatchModules {
  readonly clock: Clock;
  readonly workers: WorkerTable<WorkerSession>;
  readonly current: () => CurrentRound | undefined;
  /** Nothing moved in this lease for a deadline: it is to be taken back. */
  readonly expire: (lease: LeaseRecord, reason: string) => void;
  readonly dispatch: () => void;
  readonly notify: (level: "info" | "warn", text: string) => void;
}

export class RoundWatch {
  readonly #timeouts: Timeouts;
  readonly #modules: RoundWatchModules;
  #timer: Timer | undefined;
  #dueMs = 0;
  /** Whether this process has stood still since `start`, and that is forgiven. */
  #isLate = false;
  #wasLate = false;

  constructor(timeouts: Timeouts, modules: RoundWatchModules) {
    this.#timeouts = timeouts;
    this.#modules = modules;
  }

  /** Until `stop`, or until there is no round. */
  start(): void {
    const { clock, current } = this.#modules;
    const { watchMs: intervalMs } = this.#timeouts;
    this.#timer?.cancel();
    this.#dueMs = clock.now() + intervalMs;
    this.#isLate = false;
    this.#timer = clock.setTimer(intervalMs, () => {
      this.catchUp();
      const isLate = this.#isLate;
      // One that is always late looks all the same: at ages that grow by the time between two pauses alone.
      if (!isLate || this.#wasLate) this.#tick();
      this.#wasLate = isLate;
      if (current() !== undefined) this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wasLate = false;
  }

  /**
   * To be called before anything is judged by its age: this process itself may have stood still. What workers sent
   * meanwhile is yet to be read; whom we did not listen to has not been silent.
   */
  catchUp(): void {
    if (this.#timer === undefined || this.#isLate) return;
    const pausedMs = this.#modules.clock.now() - this.#dueMs;
    if (pausedMs <= this.#timeouts.watchMs) return;
    this.#isLate = true;
    this.#forgive(pausedMs);
  }

  #forgive(pausedMs: number): void {
    const { current, workers, notify } = this.#modules;
    current()?.round.leases.forgive(pausedMs);
    current()?.gate?.forgive(pausedMs);
    for (const { link } of workers.all()) link?.forgive(pausedMs);
    notify("warn", `the coordinator itself stood still for ${(pausedMs / 1000).toFixed(1)} s`);
  }

  #tick(): void {
    const { clock, current, workers, notify, expire, dispatch } = this.#modules;
    const round = current()?.round;
    if (round === undefined) return;
    const { joinedMs, leaseMs } = this.#timeouts;
    workers.expireJoined(clock.now(), joinedMs);
    for (const lease of round.leases.expired(clock.now(), leaseMs)) {
      const seconds = ((clock.now() - lease.lastProgressMs) / 1000).toFixed(1);
      notify(
        "warn",
        `step ${round.step}: ${lease.workerId} has not moved in phase ${lease.phase} for ` +
          `${seconds} s; its leaves ${round.leases.unfinished(lease).join(", ")} are leased again`,
      );
      expire(lease, `nothing moved for ${seconds} s`);
    }
    this.#cutOffTheSilent(round);
    dispatch();
  }

  /** A frozen worker would otherwise stay, neither idle nor gone. */
  #cutOffTheSilent(round: Round): void {
    const { clock, workers } = this.#modules;
    const { silentWorkerMs: limitMs } = this.#timeouts;
    const busy = new Set(round.leases.active().map(({ workerId }) => workerId));
    for (const { workerId, link } of workers.all()) {
      const sinceMs = link?.busyAndSilentSinceMs;
      if (link === undefined || sinceMs === undefined || busy.has(workerId)) continue;
      const silentMs = clock.now() - sinceMs;
      if (silentMs < limitMs) continue;
      const seconds = (silentMs / 1000).toFixed(1);
      link.refuse(new WireError("streamRefused", `nothing was heard for ${seconds} s`));
    }
  }
}
