/** A coordinator and its workers as child processes, from the first start to the last exit. */

import type { Clock } from "@ostinato/runtime";
import { StopRequests } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";

import { EXIT_CODES } from "../errors/index.js";
import type { Child, ChildExit, StartChild } from "./child.js";
import { isReadyMessage, isWaitingMessage } from "./ready-message.js";
import type { ReadyMessage } from "./ready-message.js";
import { startMessage } from "../standby/index.js";
import { describeExit, WorkerSlot } from "./worker-slot.js";

/**
 * A coordinator's tensors are outside the engine's heap; the space for young objects would grow to 32 MiB
 * for the little that is in it.
 */
const COORDINATOR_FLAGS = ["--max-semi-space-size=2"];

export interface ClusterOptions {
  readonly numWorkers: number;
  /** Below so many no step begins. */
  readonly minWorkers: number;
  /** What the run's time-outs derive from. */
  readonly deadlineMs: number;
  readonly coordinatorArguments: readonly string[];
  /** Of processes that are to be workers, and get ready while the coordinator does. */
  readonly standbyArguments: readonly string[];
  readonly workerArguments: (ready: ReadyMessage, name: string) => readonly string[];
}

export interface ClusterModules {
  readonly startChild: StartChild;
  readonly clock: Clock;
  /** Told of each worker that dies or leaves, and of what the start waits for, in one line. */
  readonly onNotice: (text: string) => void;
}

export interface ClusterEnd {
  readonly exitCode: number;
  /** Why, if not because the run was completed or stopped as asked. */
  readonly reason: string | undefined;
}

/**
 * - `starting`: the coordinator is not ready; workers stand by.
 * - `running`: workers that die are replaced.
 * - `stopping`: a signal was passed on; the coordinator writes its checkpoint and tells the workers.
 * - `leaving`: the coordinator is gone, the workers go.
 * - `ended`: no child is left.
 */
export type ClusterState = "starting" | "running" | "stopping" | "leaving" | "ended";

export type StopSignal = "SIGINT" | "SIGTERM";

export class LocalCluster {
  readonly #options: ClusterOptions;
  readonly #modules: ClusterModules;
  readonly #coordinator: Child;
  readonly #stopRequests: StopRequests;
  readonly #timeouts: Timeouts;
  readonly #slots: { readonly slot: WorkerSlot; readonly done: Promise<unknown> }[] = [];
  /** Not told yet what to do. */
  #standbys: readonly Child[];
  readonly #ready: Promise<ReadyMessage | undefined>;
  #state: ClusterState = "starting";
  #signal: StopSignal | undefined;
  #failure: string | undefined;
  #numNames = 0;
  #numSlotsGivenUp = 0;
  #numSlotsDone = 0;

  /** Settled when every child has ended; never rejects. */
  readonly ended: Promise<ClusterEnd>;

  constructor(options: ClusterOptions, modules: ClusterModules) {
    this.#options = options;
    this.#modules = modules;
    this.#stopRequests = new StopRequests(modules.clock);
    this.#timeouts = deriveTimeouts(options.deadlineMs);
    this.#coordinator = modules.startChild(options.coordinatorArguments, COORDINATOR_FLAGS);
    this.#standbys = Array.from({ length: options.numWorkers }, () =>
      modules.startChild(options.standbyArguments),
    );
    const { exited } = this.#coordinator;
    this.#ready = new Promise((resolve) => {
      this.#coordinator.onMessage((message) => {
        if (isReadyMessage(message)) resolve(message);
        else if (isWaitingMessage(message)) modules.onNotice(message.text);
      });
      void exited.then(() => resolve(undefined));
    });
    this.ended = exited.then((exit) => this.#endAfter(exit));
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** What the coordinator said when it listened; undefined if it ended before: see `ended`. */
  ready(): Promise<ReadyMessage | undefined> {
    return this.#ready;
  }

  /** Starts the workers of a ready coordinator; does nothing if a signal came first. */
  startWorkers(ready: ReadyMessage): void {
    if (this.#state !== "starting") return;
    this.#state = "running";
    const { clock, onNotice } = this.#modules;
    for (let i = 0; i < this.#options.numWorkers; i++) {
      const slot = new WorkerSlot({
        clock,
        timeouts: this.#timeouts,
        startWorker: (name) => this.#startWorker(this.#options.workerArguments(ready, name)),
        nextName: () => `worker-${++this.#numNames}`,
        onNotice,
      });
      const done = slot.run().then((how) => {
        this.#loseSlot(how);
      });
      this.#slots.push({ slot, done });
    }
  }

  /**
   * Passes a signal on to the coordinator, which writes a checkpoint and tells the workers; a second
   * one, that is not the same one twice, kills every child at once.
   */
  interrupt(signal: StopSignal): void {
    if (this.#state === "ended") return;
    switch (this.#stopRequests.take()) {
      case "first":
        this.#signal = signal;
        this.#stop(signal);
        break;
      case "echo":
        break;
      case "second":
        this.#coordinator.kill("SIGKILL");
        for (const { slot } of this.#slots) slot.kill();
        for (const standby of this.#standbys) standby.kill("SIGKILL");
        break;
    }
  }

  #startWorker(programArguments: readonly string[]): Child {
    const [standby, ...others] = this.#standbys;
    if (standby === undefined) return this.#modules.startChild(programArguments);
    this.#standbys = others;
    standby.send(startMessage(programArguments));
    return standby;
  }

  /** The run made a step, so workers that died before do not add up to a run that cannot go on. */
  noteProgress(): void {
    for (const { slot } of this.#slots) slot.noteProgress();
  }

  /** Without any worker left, or with too few that are left, the run would wait for ever. */
  #loseSlot(how: "left" | "givenUp"): void {
    const { numWorkers, minWorkers } = this.#options;
    this.#numSlotsDone += 1;
    if (how === "givenUp") this.#numSlotsGivenUp += 1;
    if (this.#numSlotsGivenUp === numWorkers) {
      this.#stopWithout("every worker died again and again");
      return;
    }
    const numLeft = numWorkers - this.#numSlotsGivenUp;
    if (how === "givenUp" && numLeft < minWorkers) {
      const places =
        numLeft === 1 ? "1 place for a worker is" : `${numLeft} places for workers are`;
      this.#stopWithout(`${places} left, fewer than cluster.minWorkers: ${minWorkers}`);
      return;
    }
    if (this.#numSlotsDone < numWorkers) return;
    // At the end of a run the workers leave first, and then the coordinator.
    const timer = this.#modules.clock.setTimer(this.#timeouts.leaveMs, () => {
      this.#stopWithout("no worker is left");
    });
    void this.#coordinator.exited.then(() => timer.cancel());
  }

  #stopWithout(failure: string): void {
    if (this.#state !== "running") return;
    this.#failure = failure;
    this.#stop("SIGTERM");
  }

  #stop(signal: StopSignal): void {
    if (this.#state === "leaving") return;
    this.#state = "stopping";
    for (const { slot } of this.#slots) slot.close();
    this.#coordinator.kill(signal);
  }

  async #endAfter(exit: ChildExit): Promise<ClusterEnd> {
    this.#state = "leaving";
    for (const { slot } of this.#slots) slot.release();
    for (const standby of this.#standbys) standby.release();
    const timer = this.#modules.clock.setTimer(this.#timeouts.leaveMs, () => {
      for (const { slot } of this.#slots) slot.kill();
      for (const standby of this.#standbys) standby.kill("SIGKILL");
    });
    await Promise.all([
      ...this.#slots.map(({ done }) => done),
      ...this.#standbys.map((standby) => standby.exited),
    ]);
    timer.cancel();
    this.#state = "ended";
    return this.#endOf(exit);
  }

  #endOf(exit: ChildExit): ClusterEnd {
    if (exit.code === 0) return { exitCode: EXIT_CODES.done, reason: undefined };
    if (this.#failure !== undefined) return { exitCode: EXIT_CODES.failed, reason: this.#failure };
    const { code } = exit;
    if (code === EXIT_CODES.SIGINT || code === EXIT_CODES.SIGTERM) {
      return { exitCode: code, reason: undefined };
    }
    if (this.#signal !== undefined && exit.signal !== undefined) {
      const reason = `the coordinator ${describeExit(exit)} before its checkpoint was written`;
      return { exitCode: EXIT_CODES[this.#signal], reason };
    }
    // What the coordinator says of itself is a whole sentence already.
    const reason =
      exit.signal === undefined && exit.lastLine !== ""
        ? exit.lastLine
        : `the coordinator ${describeExit(exit)}`;
    return { exitCode: code === EXIT_CODES.usage ? code : EXIT_CODES.failed, reason };
  }
}
