/** A schedule from its first process to its last. */

import type { JoinReply } from "@ostinato/proto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { kindOf } from "../faults/index.js";
import type { Instead, Replacement } from "../faults/index.js";
import { openHistory } from "../history/index.js";
import type { History } from "../history/index.js";
import type { Mutation } from "../mutations/index.js";
import { AgentDesk, startProgram } from "../processes/index.js";
import { openWay } from "../proxy/index.js";
import type { Way } from "../proxy/index.js";
import type { Schedule, ScheduledFault } from "../schedule/index.js";
import { Coordinator } from "./coordinator.js";
import { Slot } from "./slot.js";
import type { Passing, SlotConductor } from "./slot.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures", import.meta.url));
/** `cluster.deadlineSeconds` of the runs in fixtures/. */
const DEADLINE_MS = 3000;
/** A run that has not ended by then hangs: schedules take some 10 to 30 s. */
const LONGEST_RUN_MS = 150_000;
/** A worker that was told that the run is over ends by then. */
const LONGEST_GOODBYE_MS = 20_000;
/** A worker is started again so often: more than any schedule's faults end it. */
const MAX_STARTS = 12;

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
  readonly #slots: Slot[] = [];
  readonly #ways: Way[] = [];
  readonly #meanwhile: Promise<void>[] = [];
  readonly #read = new Set<string>();
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
    this.#gate = new Promise((resolve) => (this.#openGate = resolve));
  }

  async play(): Promise<PlayedSchedule> {
    const { run, workers, faults } = this.#schedule;
    // A Unix socket's path is short: not in the folder, which may be deep.
    this.#desk = await AgentDesk.open(`/tmp/ostinato-chaos-${process.pid}-${deskNumber++}.sock`);
    const runDirectory = join(this.#folder, "run");
    const orders = {
      desk: this.#desk.path,
      firings: join(this.#folder, "firings.jsonl"),
      mutation: this.#mutation,
    };
    const coordinator = new Coordinator({
      config: join(FIXTURES, `${run}.yaml`),
      ...{ runDirectory, faults, orders, history: this.history },
      // A fault of a worker is to find it there: no step begins with one missing.
      settings: [`cluster.minWorkers=${workers}`],
      tell: (pid, command) => this.tell(pid, command),
    });
    this.#coordinator = coordinator;
    for (let number = 1; number <= workers; number++) {
      const slot = new Slot(number, this);
      const upstreamPort = (): number | undefined => coordinator.port;
      const way = await openWay({ upstreamPort, deadlineMs: DEADLINE_MS }, slot);
      slot.relay = way.relay;
      this.#slots.push(slot);
      this.#ways.push(way);
      void this.#keepWorker(slot, way, orders);
    }
    const hung = sleep(LONGEST_RUN_MS, "hung" as const, { ref: false });
    const outcome = await Promise.race([coordinator.run(), hung]);
    this.#over.abort();
    const leftOver = await this.#takeLeave();
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
    if (this.#numWaiting >= this.#schedule.workers) this.#openGate();
    await this.#gate;
  }

  life(): number {
    return this.#coordinator?.life ?? 0;
  }

  joined({ profile, incarnation }: JoinReply): void {
    this.#incarnation = incarnation;
    if (this.#coordinator !== undefined) this.#coordinator.profile = profile;
  }

  async meet(slot: Slot, passing: Passing): Promise<Replacement> {
    await this.#readIfDue(passing);
    for (const fault of this.#due) {
      if (!isMoment(fault, slot, passing)) continue;
      const instead = await this.#fire(fault, slot, passing);
      if (instead !== "later") return instead;
    }
    return undefined;
  }

  async #fire(fault: ScheduledFault, slot: Slot, passing: Passing): Promise<Instead> {
    const coordinator = this.#coordinator;
    const { fire } = kindOf(fault);
    if (coordinator === undefined || fire === undefined) return "later";
    const { step, fence, message, upload } = passing;
    // Taken off before: another message may pass while this one waits.
    this.#due.delete(fault);
    const workerId = fault.slot === 0 ? "" : slot.workerId;
    const instead = await fire({
      ...{ fault, message, upload, fence, slot, coordinator, deadlineMs: DEADLINE_MS },
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

  /** With everybody there, once early and once at the end of each of the coordinator's lives. */
  async #readIfDue({ phase, step, message }: Passing): Promise<void> {
    if (!this.#slots.every(({ isAttached }) => isAttached)) return;
    const isTest =
      message.kind === "lease" && message.lease.split === "test" && phase === "evaluation";
    const when = isTest ? "end" : phase === "lease" && step > 2 ? "base" : undefined;
    const key = `${when} ${this.#incarnation}`;
    if (when === undefined || this.#read.has(key)) return;
    this.#read.add(key);
    await this.#coordinator?.read(when, this.#incarnation);
  }

  /** A worker that ends before the run does is followed by another one. */
  async #keepWorker(
    slot: Slot,
    way: Way,
    orders: {
      readonly desk: string;
      readonly firings: string;
      readonly mutation: Mutation | undefined;
    },
  ): Promise<void> {
    const { number } = slot;
    for (let start = 1; start <= MAX_STARTS && !this.#isOver(); start++) {
      const program = startProgram(["worker", "--coordinator", way.address], {
        ...orders,
        ledger: [],
        disk: [],
      });
      slot.begin(program);
      const { pid } = program;
      const about = { kind: "process", role: "worker", slot: number, pid } as const;
      this.history.add({ ...about, what: "started" });
      const { code, signal, stderr } = await program.exited;
      const lastLine = stderr.trim().split("\n").at(-1) ?? "";
      this.history.add({ ...about, what: "exited", code, signal, lastLine });
      await slot.mayStart();
      // Whether it has more to do shows when the coordinator that sent it away has ended.
      const life = slot.stoppedInLife;
      if (life !== undefined && code === 0) await this.#lifeAfter(life);
    }
  }

  /** Resolves when the coordinator lives another life than this one, or the run is over. */
  async #lifeAfter(life: number): Promise<void> {
    if (this.#isOver()) return;
    await Promise.race([this.#coordinator?.lifeAfter(life), once(this.#over.signal, "abort")]);
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Waits for those who were told to go, and ends those who did not. */
  async #takeLeave(): Promise<readonly string[]> {
    const leftOver: string[] = [];
    const bound = sleep(LONGEST_GOODBYE_MS, undefined, { ref: false });
    await Promise.race([Promise.all(this.#meanwhile), bound]);
    for (const { number, program, isAttached, stoppedInLife } of this.#slots) {
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
    for (const [index, { relay }] of this.#ways.entries()) {
      const { numConnections } = relay;
      if (numConnections > 0) leftOver.push(`${numConnections} connections of worker ${index + 1}`);
    }
    return leftOver;
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

function isMoment(fault: ScheduledFault, slot: Slot, passing: Passing): boolean {
  const { at } = fault;
  const { phase, step, count, message } = passing;
  if (fault.slot !== 0 && fault.slot !== slot.number) return false;
  if (at.phase !== phase || step < at.step) return false;
  if (step === at.step && count !== at.nth) return false;
  return kindOf(fault).takes?.(message) !== false;
}
