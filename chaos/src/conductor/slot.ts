/** One worker's place: the process that has it, the way to the coordinator, and what passes on it. */

import type {
  CoordinatorMessage,
  JoinReply,
  JoinRequest,
  UploadRejection,
  WorkerMessage,
} from "@ostinato/proto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentCommand } from "../agent/index.js";
import { passedUpload, repaired, scaled } from "../faults/index.js";
import type { PassedUpload, Replacement, SlotHands } from "../faults/index.js";
import type { Direction, History } from "../history/index.js";
import type { Program } from "../processes/index.js";
import type { Passage, Relay, Tap } from "../proxy/index.js";
import { phaseDown, phaseUp } from "./passing.js";
import type { Passing } from "./passing.js";
import { seen } from "./seen.js";

/** What a slot asks its conductor. */
export interface SlotConductor {
  readonly history: History;
  tell(pid: number, command: AgentCommand): Promise<void>;
  /** Resolves when the worker may ask to join. */
  mayJoin(): Promise<void>;
  joined(reply: JoinReply): void;
  /** Number of the coordinator's present life. */
  life(): number;
  /** The newest that was leased. */
  readonly step: number;
  /** A slot has a stream. */
  attached(): void;
  /** Whether a fault's moment has come, and what it makes of the message. */
  meet(slot: Slot, passing: Passing): Promise<Replacement>;
}

interface Lease {
  readonly fence: number;
  readonly step: number;
}

/** Uploads that are kept: a few steps' worth, for those that come again. */
const UPLOADS_KEPT = 24;

export class Slot implements SlotHands, Tap {
  readonly number: number;
  readonly uploads: PassedUpload[] = [];
  workerId = "";
  /** The life of the coordinator in which the present process was told that the run is over for it. */
  stoppedInLife: number | undefined;
  program: Program | undefined;
  readonly #conductor: SlotConductor;
  #relay: Relay | undefined;
  #lease: Lease | undefined;
  #passage: Passage | undefined;
  #counts = new Map<string, number>();
  #goneWaiters: { readonly fence: number; readonly resolve: () => void }[] = [];
  #closedWaiters: (() => void)[] = [];
  #expected: { readonly fence: number; readonly reasons: readonly string[] }[] = [];
  #away: Promise<void> | undefined;
  /** Nobody waits for it. */
  #isExcused = false;
  /** The step that was under way when its stream ended. */
  #lostAtStep = 0;
  #slow = { milliseconds: 0, numMessages: 0 };

  constructor(number: number, conductor: SlotConductor) {
    this.number = number;
    this.#conductor = conductor;
  }

  /** Whether an identity of this slot has a stream. */
  get isAttached(): boolean {
    return this.#passage !== undefined;
  }

  get relay(): Relay {
    if (this.#relay === undefined) throw new Error("the slot has no way yet");
    return this.#relay;
  }

  set relay(relay: Relay) {
    this.#relay = relay;
  }

  /** Another process has the place now. */
  begin(program: Program): void {
    this.program = program;
    this.stoppedInLife = undefined;
  }

  kill(signal: NodeJS.Signals): void {
    this.program?.kill(signal);
  }

  async tell(command: AgentCommand): Promise<void> {
    if (this.program === undefined) throw new Error(`worker ${this.number} has no process`);
    await this.#conductor.tell(this.program.pid, command);
  }

  async stayAway(
    until: Promise<void>,
    { isMissed }: { readonly isMissed: boolean },
  ): Promise<void> {
    this.#isExcused = !isMissed;
    this.#away = until;
    await until;
    if (!isMissed) this.#lostAtStep = this.#conductor.step;
    this.#isExcused = false;
  }

  /** Resolves when its next process may start. */
  async mayStart(): Promise<void> {
    await this.#away;
    this.#away = undefined;
  }

  /** Whether it should have been there when this step began, and is not. */
  isMissingAt(step: number): boolean {
    return !this.isAttached && !this.#isExcused && step > this.#lostAtStep;
  }

  /** Its computation moves, for all that the coordinator knows. */
  renew(fence: number): void {
    this.#passage?.inject({ kind: "progress", fence, phase: "backward", timeSteps: 0 });
  }

  leaseGone(fence: number): Promise<void> {
    return new Promise((resolve) => this.#goneWaiters.push({ fence, resolve }));
  }

  streamClosed(): Promise<void> {
    if (this.#passage === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#closedWaiters.push(resolve));
  }

  expectRejection(fence: number, reasons: readonly UploadRejection[]): void {
    this.#expected.push({ fence, reasons });
  }

  delay(milliseconds: number, numMessages: number): void {
    this.#slow = { milliseconds, numMessages };
  }

  async join(_request: JoinRequest): Promise<void> {
    await this.#conductor.mayJoin();
  }

  joined(reply: JoinReply): void {
    const { workerId, incarnation } = reply;
    this.#conductor.history.add({ kind: "joined", slot: this.number, workerId, incarnation });
    this.#conductor.joined(reply);
  }

  closed(passage: Passage): void {
    const { history } = this.#conductor;
    history.add({ kind: "streamClosed", slot: this.number, workerId: passage.workerId });
    // Of an identity before the present one.
    if (this.#passage !== passage) return;
    this.#passage = undefined;
    this.#lostAtStep = this.#conductor.step;
    for (const resolve of this.#closedWaiters.splice(0)) resolve();
    for (const { resolve } of this.#goneWaiters.splice(0)) resolve();
  }

  async up(passage: Passage, message: WorkerMessage): Promise<readonly WorkerMessage[]> {
    await this.#waitIfSlow();
    if (message.kind === "attach") this.#attached(passage);
    this.#note("up", passage, message);
    const upload = this.#uploadOf(message);
    const changed = this.#scaledFrame(message, upload);
    const phase = phaseUp(changed);
    const step = upload?.begin.step ?? this.#lease?.step ?? 0;
    const fence = upload?.begin.fence ?? this.#lease?.fence ?? 0;
    const instead = await this.#meet({ phase, step, fence, message: changed, upload });
    const going = (instead ?? [changed]) as readonly WorkerMessage[];
    return going.map((each) => this.#went(each, upload));
  }

  async down(
    passage: Passage,
    message: CoordinatorMessage,
  ): Promise<readonly CoordinatorMessage[]> {
    this.#note("down", passage, message);
    if (message.kind === "uploadRejected" && this.#wasExpected(message)) return [];
    if (message.kind === "revoke") this.#gone(message.fence);
    if (message.kind === "stop") this.stoppedInLife = this.#conductor.life();
    if (message.kind === "lease") {
      this.#lease = { fence: message.lease.fence, step: message.lease.step };
    }
    const { fence = 0, step = 0 } = this.#lease ?? {};
    const phase = phaseDown(message);
    const instead = await this.#meet({ phase, step, fence, message, upload: undefined });
    return (instead ?? [message]) as readonly CoordinatorMessage[];
  }

  async #meet(
    passing: Omit<Passing, "count" | "phase"> & { readonly phase: string | undefined },
  ): Promise<Replacement> {
    const { phase, step } = passing;
    if (phase === undefined) return undefined;
    const key = `${step} ${phase}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return this.#conductor.meet(this, { ...passing, phase, count });
  }

  #attached(passage: Passage): void {
    this.#passage = passage;
    this.workerId = passage.workerId;
    this.#lease = undefined;
    this.#counts = new Map();
    this.#expected = [];
    this.uploads.length = 0;
    this.#conductor.attached();
  }

  #uploadOf(message: WorkerMessage): PassedUpload | undefined {
    if (message.kind === "uploadBegin") {
      const upload = passedUpload(message);
      this.uploads.push(upload);
      if (this.uploads.length > UPLOADS_KEPT) this.uploads.shift();
      return upload;
    }
    const transfer =
      message.kind === "frame"
        ? message.frame.transfer
        : message.kind === "uploadEnd"
          ? message.transfer
          : undefined;
    return this.uploads.findLast(({ begin }) => begin.transfer === transfer);
  }

  #scaledFrame(message: WorkerMessage, upload: PassedUpload | undefined): WorkerMessage {
    if (message.kind !== "frame" || upload === undefined || upload.scale === 1) return message;
    return { kind: "frame", frame: scaled(message.frame, upload.scale) };
  }

  /** Keeps account of what goes on, and makes a forged upload consistent. */
  #went(message: WorkerMessage, upload: PassedUpload | undefined): WorkerMessage {
    if (upload === undefined) return message;
    const { transfer } = upload.begin;
    if (message.kind === "frame" && message.frame.transfer === transfer) {
      upload.frames.push(message);
    }
    if (message.kind !== "uploadEnd" || message.transfer !== transfer) return message;
    upload.end = repaired(upload, message);
    return upload.end;
  }

  #gone(fence: number): void {
    const isIt = (waiter: { readonly fence: number }): boolean => waiter.fence === fence;
    for (const { resolve } of this.#goneWaiters.filter(isIt)) resolve();
    this.#goneWaiters = this.#goneWaiters.filter((waiter) => !isIt(waiter));
  }

  #wasExpected({ fence, reason }: { readonly fence: number; readonly reason: string }): boolean {
    const index = this.#expected.findIndex(
      (expected) => expected.fence === fence && expected.reasons.includes(reason),
    );
    if (index >= 0) this.#expected.splice(index, 1);
    return index >= 0;
  }

  async #waitIfSlow(): Promise<void> {
    if (this.#slow.numMessages === 0) return;
    this.#slow.numMessages -= 1;
    await sleep(this.#slow.milliseconds);
  }

  #note(
    direction: Direction,
    { workerId }: Passage,
    message: WorkerMessage | CoordinatorMessage,
  ): void {
    const summary = seen(message);
    if (summary === undefined) return;
    const { history } = this.#conductor;
    history.add({ kind: "message", slot: this.number, workerId, direction, message: summary });
  }
}
