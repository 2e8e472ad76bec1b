/** A schedule from its first process to its last. */

import type { JoinReply } from "@ostinato/proto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { kindOf } from "../faults/index.js";
import type { Instead, Replacement } from "../faults/index.js";
import { openHistory } from "../history/index.js";
import type { History } from "../history/index.js";
import type { Mutation } from "../mutations/index.js";
import { AgentDesk } from "../processes/index.js";
import { openWay } from "../proxy/index.js";
import type { Way } from "../proxy/index.js";
import type { Schedule, ScheduledFault } from "../schedule/index.js";
import { Coordinator, STRANGER } from "./coordinator.js";
import { Credentials } from "./credentials.js";
import { keepWorker } from "./keep-worker.js";
import { isMoment } from "./moment.js";
import { Muster } from "./muster.js";
import type { Passing } from "./passing.js";
import { Readings } from "./readings.js";
import { Slot } from "./slot.js";
import { takeLeave } from "./take-leave.js";
import type { SlotConductor } from "./slot.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures", import.meta.url));
/** `cluster.deadlineSeconds` of the runs in fixtures/. */
const DEADLINE_MS = 3000;
/** A run that has not ended by then hangs: schedules take some 10 to 30 s. */
const LONGEST_RUN_MS = 150_000;

export interface PlayOptions {
  /** Made by this; everything of the run is below it. */
  readonly folder: string;
  /** What is broken on purpose. */
  readonly mutation?: Mutation | undefined;
}

export interface PlayedSchedule {
  readonly schedule: Schedule;
  readonly folder: string;
  readonly runDirectory: string;
  readonly history: History;
  readonly deadlineMs: number;
  /** Processes and connections that were still there when all should have ended. */
  readonly leftOver: readonly string[];
}

export async function playSchedule(
  schedule: Schedule,
  options: PlayOptions,
): Promise<PlayedSchedule> {
  const { folder, mutation } = options;
  mkdirSync(folder, { recursive: true });
  const history = openHistory(join(folder, "history.jsonl"), () => performance.now());
  const conductor = new Conductor(schedule, { folder, mutation, history });
  try {
    return await conductor.play();
  } finally {
    await conductor.close();
  }
}

interface ConductorModules {
  readonly folder: string;
  readonly mutation: Mutation | undefined;
  readonly history: History;
}

class Conductor implements SlotConductor {
  readonly history: History;
  readonly #schedule: Schedule;
  readonly #folder: string;
  readonly #mutation: Mutation | undefined;
  readonly #due: Set<ScheduledFault>;
  readonly #slots: readonly Slot[];
  readonly #ways: Way[] = [];
  readonly #meanwhile: Promise<void>[] = [];
  readonly #readings: Readings;
  readonly #muster: Muster;
  #desk: AgentDesk | undefined;
  #coordinator: Coordinator | undefined;
  #incarnation = 0;
  #numWaiting = 0;
  #openGate: () => void = () => undefined;
  readonly #gate: Promise<void>;
  readonly #over = new AbortController();

  constructor(schedule: Schedule, { folder, mutation, history }: ConductorModules) {
    this.#schedule = schedule;
    this.#folder = folder;
    this.#mutation = mutation;
    this.history = history;
    this.#due = new Set(schedule.faults);
    const { workers, faults } = schedule;
    this.#slots = Array.from({ length: workers }, (_, index) => new Slot(index + 1, this));
    this.#readings = new Readings({ history, slots: this.#slots });
    this.#muster = new Muster(this.#slots, {
      deadlineMs: DEADLINE_MS,
      numLate: Math.max(0, ...faults.map((fault) => kindOf(fault).numLate?.(fault) ?? 0)),
      holdsSteps: isElastic(schedule),
    });
    this.#gate = new Promise((resolve) => (this.#openGate = resolve));
  }

  async play(): Promise<PlayedSchedule> {
    const { run, maxSteps, workers, isEncrypted, faults } = this.#schedule;
    // A Unix socket's path is short: not in the folder, which may be deep.
    this.#desk = await AgentDesk.open(`/tmp/ostinato-chaos-${process.pid}-${deskNumber++}.sock`);
    const runDirectory = join(this.#folder, "run");
    const orders = {
      desk: this.#desk.path,
      firings: join(this.#folder, "firings.jsonl"),
      mutation: this.#mutation,
    };
    const names = this.#slots.map(nameOf);
    const credentials = isEncrypted
      ? await Credentials.create(join(this.#folder, "credentials"), [...names, STRANGER])
      : undefined;
    const coordinator = new Coordinator({
      config: join(FIXTURES, `${run}.yaml`),
      ...{ runDirectory, faults, orders, credentials, history: this.history },
      // A fault of a worker is to find it there: no step begins with one missing.
      settings: [
        `cluster.minWorkers=${isElastic(this.#schedule) ? 1 : workers}`,
        ...(maxSteps === undefined ? [] : [`training.maxSteps=${maxSteps}`]),
      ],
      tell: (pid, command) => this.tell(pid, command),
    });
    this.#coordinator = coordinator;
    for (const slot of this.#slots) {
      const upstreamPort = (): number | undefined => coordinator.port;
      const name = nameOf(slot);
      const tls = credentials && { server: credentials.server, client: credentials.client(name) };
      const way = await openWay({ upstreamPort, deadlineMs: DEADLINE_MS, tls }, slot);
      slot.relay = way.relay;
      this.#ways.push(way);
      const flags = credentials?.workerFlags(name) ?? [];
      void keepWorker(slot, {
        flags: ["--coordinator", way.address, ...flags],
        ...{ orders, coordinator, history: this.history, over: this.#over.signal },
      });
    }
    const hung = sleep(LONGEST_RUN_MS, "hung" as const, { ref: false });
    const outcome = await Promise.race([coordinator.run(), hung]);
    this.#over.abort();
    this.#muster.end();
    const leftOver = await takeLeave(this.#slots, this.#ways, this.#meanwhile);
    this.history.add({
      kind: "ended",
      outcome: outcome === undefined ? "completed" : outcome === "hung" ? "hung" : "failed",
      reason: outcome ?? "",
    });
    const { history } = this;
    const played = { schedule: this.#schedule, folder: this.#folder, runDirectory, history };
    return { ...played, deadlineMs: DEADLINE_MS, leftOver };
  }

  async tell(...[pid, command]: Parameters<AgentDesk["tell"]>): Promise<void> {
    await this.#desk?.tell(pid, command);
  }

  async mayJoin(): Promise<void> {
    this.#numWaiting += 1;
    if (this.#numWaiting >= this.#muster.numFirst) this.#openGate();
    await this.#gate;
  }

  life(): number {
    return this.#coordinator?.life ?? 0;
  }

  get step(): number {
    return this.#muster.step;
  }

  attached(): void {
    this.#muster.arrived();
  }

  joined({ profile, incarnation }: JoinReply): void {
    this.#incarnation = incarnation;
    if (this.#coordinator !== undefined) this.#coordinator.profile = profile;
  }

  async meet(slot: Slot, passing: Passing): Promise<Replacement> {
    if (passing.phase === "lease") this.#muster.leased(passing.step);
    await this.#readings.readIfDue(passing, slot, this.#coordinator, this.#incarnation);
    await this.#muster.awaitMissing(slot, passing);
    // Of those that are due now: one that says "later" is put back, and would be met again and again.
    for (const fault of [...this.#due]) {
      if (!this.#due.has(fault) || !isMoment(fault, slot, passing)) continue;
      const instead = await this.#fire(fault, slot, passing);
      if (instead !== "later") return instead;
    }
    return undefined;
  }

  async #fire(fault: ScheduledFault, slot: Slot, passing: Passing): Promise<Instead> {
    const coordinator = this.#coordinator;
    const { fire, minAttached = 1 } = kindOf(fault);
    if (coordinator === undefined || fire === undefined) return "later";
    // What is on its way from one that ends is no moment: nobody would notice the fault.
    if (this.#muster.attached < minAttached || coordinator.isEnding) return "later";
    const { step, fence, message, upload } = passing;
    // Taken off before: another message may pass while this one waits.
    this.#due.delete(fault);
    const workerId = fault.slot === 0 ? "" : slot.workerId;
    const instead = await fire({
      ...{ fault, message, upload, fence, slot, coordinator },
      ...{ cluster: this.#muster, deadlineMs: DEADLINE_MS },
      evidence: (text) => {
        this.history.add({ kind: "evidence", faultId: fault.id, text });
      },
      meanwhile: (task) => this.#meanwhile.push(task),
    });
    if (instead === "later") {
      this.#due.add(fault);
      return "later";
    }
    coordinator.fired(fault);
    this.history.add({ kind: "fired", fault, workerId, step, fence });
    return instead;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#coordinator?.close();
    for (const { program } of this.#slots) {
      program?.kill("SIGCONT");
      program?.kill("SIGKILL");
      await program?.exited;
    }
    for (const way of this.#ways) await way.close();
    await this.#desk?.close();
  }
}

let deskNumber = 1;

const nameOf = ({ number }: Slot): string => `worker-${number}`;

/** Whether workers are to be fewer in it at times than in the end. */
function isElastic({ faults }: Schedule): boolean {
  return faults.some((fault) => kindOf(fault).isElastic === true);
}
