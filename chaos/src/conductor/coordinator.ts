/** The coordinator's process through its lives: started, killed, its files damaged, started again. */

import { createCoordinatorClient, PROTOCOL_VERSION } from "@ostinato/proto";
import type { NumericsProfile } from "@ostinato/proto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AgentCommand, AgentOrders } from "../agent/index.js";
import { readFirings } from "../agent/index.js";
import type { CoordinatorHands } from "../faults/index.js";
import { kindOf } from "../faults/index.js";
import type { History } from "../history/index.js";
import { readResources, startProgram } from "../processes/index.js";
import type { Program, ProgramExit } from "../processes/index.js";
import type { ScheduledFault } from "../schedule/index.js";
import type { Credentials } from "./credentials.js";

export interface CoordinatorOptions {
  readonly config: string;
  readonly runDirectory: string;
  readonly settings: readonly string[];
  /** Undefined: nothing is encrypted. */
  readonly credentials: Credentials | undefined;
  readonly faults: readonly ScheduledFault[];
  readonly orders: Pick<AgentOrders, "desk" | "firings" | "mutation">;
  readonly history: History;
  readonly tell: (pid: number, command: AgentCommand) => Promise<void>;
}

interface Ready {
  readonly kind: "ready";
  readonly address: string;
  readonly metricsAddress: string;
}

/** More than any schedule's faults end it. */
const MAX_RESTARTS = 12;
/** The last words of one whose last checkpoint could not be written. */
const UNWRITTEN = /checkpoints\/step-\d+: could not write it/;

/** Has a certificate as the workers have, and is none. */
export const STRANGER = "stranger";

export class Coordinator implements CoordinatorHands {
  readonly #options: CoordinatorOptions;
  readonly #setOff = new Set<number>();
  #program: Program | undefined;
  #ready: Ready | undefined;
  #damage: ((checkpoint: string) => string) | undefined;
  #profile: NumericsProfile | undefined;
  /** Endings that were brought about and have not been followed by a new start yet. */
  #endingsDue = 0;
  #life = 0;
  #lifeWaiters: (() => void)[] = [];

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  /** Undefined while there is none. */
  get port(): number | undefined {
    return this.#ready === undefined ? undefined : Number(this.#ready.address.split(":").at(-1));
  }

  /** Whether it is on its way out, or gone, by a fault. */
  get isEnding(): boolean {
    return this.#endingsDue > 0;
  }

  /** Number of its life, from 1; 0 before the first. */
  get life(): number {
    return this.#life;
  }

  /** Resolves once it lives another life than this one, if ever. */
  async lifeAfter(life: number): Promise<void> {
    while (this.#life <= life)
      await new Promise<void>((resolve) => this.#lifeWaiters.push(resolve));
  }

  /** Of the run, once a worker has joined. */
  set profile(profile: NumericsProfile) {
    this.#profile = profile;
  }

  /** A fault of these hands was set off. */
  fired(fault: ScheduledFault): void {
    this.#setOff.add(fault.id);
    if (kindOf(fault).endsCoordinator === true) this.#endingsDue += 1;
  }

  /**
   * Runs it to the end of the run, through every life that the schedule ends.
   *
   * @returns undefined when the run is complete, else what was not to happen
   */
  async run(): Promise<string | undefined> {
    for (let life = 0; life <= MAX_RESTARTS; life++) {
      const { code, signal, stderr } = await this.#live(life > 0);
      const isDiskFailing = this.#noteFirings().some(
        (fault) => kindOf(fault).disk !== undefined && kindOf(fault).endsCoordinator !== true,
      );
      if (code === 0) return undefined;
      const isEnded = this.#endingsDue > 0 && (signal === "SIGKILL" || code === 143);
      // Its last checkpoint, at the run's end or because it was asked to stop: without it it is not done.
      const isUnwritten = isDiskFailing && UNWRITTEN.test(stderr);
      if (!isEnded && !isUnwritten) {
        return `the coordinator ended with ${signal ?? `exit code ${code}`}: ${stderr.trim()}`;
      }
      this.#endingsDue = 0;
      this.#doDamage();
    }
    return `the coordinator ended more than ${MAX_RESTARTS} times`;
  }

  kill(signal: NodeJS.Signals): void {
    this.#program?.kill(signal);
  }

  async tell(command: AgentCommand): Promise<void> {
    if (this.#program === undefined) throw new Error("there is no coordinator");
    await this.#options.tell(this.#program.pid, command);
  }

  beforeRestart(damage: (checkpoint: string) => string): void {
    this.#damage = damage;
  }

  async joinMany(count: number): Promise<{ readonly joined: number; readonly refused: number }> {
    if (this.#ready === undefined || this.#profile === undefined) {
      throw new Error("nobody has joined yet");
    }
    const profile = this.#profile;
    const client = createCoordinatorClient(this.#ready.address, {
      security: this.#options.credentials?.client(STRANGER),
    });
    const joins = Array.from({ length: count }, (_, i) =>
      client.join(
        { protocolVersion: PROTOCOL_VERSION, workerName: `storm-${i}`, profiles: [profile] },
        { deadlineMs: 10_000 },
      ),
    );
    const answers = await Promise.allSettled(joins);
    client.close();
    const joined = answers.filter(({ status }) => status === "fulfilled").length;
    return { joined, refused: count - joined };
  }

  async startAnother(listen: string): Promise<string | undefined> {
    const { config, runDirectory, orders } = this.#options;
    const flags = ["--listen", listen, "--http", "127.0.0.1:0"];
    const args = ["coordinator", config, ...flags, "--run-dir", `${runDirectory}-of-another`];
    const program = startProgram(args, { ...orders, ledger: [], disk: [] });
    const isReady = program.message<Ready>("ready").then(
      () => true,
      () => false,
    );
    if (await isReady) program.kill("SIGKILL");
    const { stderr } = await program.exited;
    return (await isReady) ? undefined : stderr.trim();
  }

  /** What it holds and counts now. */
  async read(when: "base" | "end", incarnation: number): Promise<void> {
    if (this.#program === undefined || this.#ready === undefined) return;
    const page = await fetch(`${this.#ready.metricsAddress}/metrics`);
    const metrics = await page.text();
    const resources = readResources(this.#program.pid);
    this.#options.history.add({ kind: "reading", when, incarnation, resources, metrics });
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    this.kill("SIGKILL");
    await this.#program?.exited;
  }

  async #live(resume: boolean): Promise<ProgramExit> {
    const { config, runDirectory, settings, credentials, history } = this.#options;
    const flags = [
      ...["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--run-dir", runDirectory],
      ...(credentials?.coordinatorFlags ?? []),
    ];
    const set = settings.flatMap((setting) => ["--set", setting]);
    const args = ["coordinator", config, ...flags, ...set, ...(resume ? ["--resume"] : [])];
    const program = startProgram(args, this.#orders());
    this.#program = program;
    this.#life += 1;
    for (const resolve of this.#lifeWaiters.splice(0)) resolve();
    const { pid } = program;
    const about = { kind: "process", role: "coordinator", slot: 0, pid } as const;
    history.add({ ...about, what: "started" });
    // That it ends before it is ready, its exit says.
    this.#ready = await program.message<Ready>("ready").catch(() => undefined);
    const exit = await program.exited;
    this.#ready = undefined;
    const lastLine = exit.stderr.trim().split("\n").at(-1) ?? "";
    history.add({ ...about, what: "exited", code: exit.code, signal: exit.signal, lastLine });
    return exit;
  }

  #orders(): AgentOrders {
    const due = this.#options.faults.filter(({ id }) => !this.#setOff.has(id));
    return {
      ...this.#options.orders,
      ledger: due.flatMap((fault) => kindOf(fault).ledger?.(fault) ?? []),
      disk: due.flatMap((fault) => kindOf(fault).disk?.(fault) ?? []),
    };
  }

  /** @returns what the process set off by itself in the life that has ended */
  #noteFirings(): readonly ScheduledFault[] {
    const { faults, history, orders } = this.#options;
    const noted: ScheduledFault[] = [];
    for (const { faultId, text } of readFirings(orders.firings)) {
      const fault = faults.find(({ id }) => id === faultId);
      if (fault === undefined || this.#setOff.has(faultId)) continue;
      this.fired(fault);
      noted.push(fault);
      history.add({ kind: "fired", fault, workerId: "", step: fault.at.step, fence: 0 });
      history.add({ kind: "evidence", faultId, text });
    }
    return noted;
  }

  #doDamage(): void {
    if (this.#damage === undefined) return;
    const folder = join(this.#options.runDirectory, "checkpoints");
    const newest = readdirSync(folder)
      .filter((name) => /^step-\d+$/.test(name))
      .sort()
      .at(-1);
    if (newest !== undefined) this.#damage(join(folder, newest));
    this.#damage = undefined;
  }
}
