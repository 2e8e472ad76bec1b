import { readMetricsPage } from "../cluster/index.js";
import type { CoordinatorProcess, ThreadTimes } from "./coordinator-process.js";

const RECEIVED = 'ostinato_coordinator_tensor_bytes_total{direction="received",carrier="stream"}';
const POLL_MS = 10;
/** Of the main thread between two looks: timers and the like. */
const AT_REST_MS = 0.5;

/** Sums over steps, in milliseconds of processor time. */
export interface PhaseSums {
  readonly numSteps: number;
  readonly uploads: number;
  /** Of the main thread, while every upload comes in but for its end. */
  readonly receiveMs: number;
  /** Of the main thread otherwise: the uploads' ends, the commit, the parameters to all workers. */
  readonly sendMs: number;
  /** Of the busiest other thread that runs JavaScript: while others rest, the one that does the arithmetic. */
  readonly arithmeticMs: number;
  /** Of all others. */
  readonly otherMs: number;
}

/** Tells apart what the coordinator's main thread does in the two phases of gated steps. */
export class PhaseTimes {
  readonly #coordinator: CoordinatorProcess;
  readonly #uploadBytes: number;
  #expectedBytes = 0;
  #isCounting = false;
  #numSteps = 0;
  #numUploads = 0;
  #receiveMs = 0;
  #sendMs = 0;
  #mark: ThreadTimes = new Map();
  readonly #others = new Map<number, number>();

  constructor(coordinator: CoordinatorProcess, uploadBytes: number) {
    this.#coordinator = coordinator;
    this.#uploadBytes = uploadBytes;
  }

  get numSteps(): number {
    return this.#numSteps;
  }

  /** Counts from now on, the end of the phase in which frames come in. */
  start(): void {
    this.#isCounting = true;
  }

  /** A worker is about to upload a gradient. */
  uploads(): void {
    this.#expectedBytes += this.#uploadBytes;
    if (this.#isCounting) this.#numUploads += 1;
  }

  /** Each worker has its lease, and so all parameters are sent. */
  allHaveLeases(): void {
    const sendMs = this.#advance();
    if (!this.#isCounting) return;
    this.#sendMs += sendMs;
    this.#numSteps += 1;
  }

  /** All frames are sent: waits until the coordinator has taken them in. */
  async allAreSent(): Promise<void> {
    let receiveMs = 0;
    let received: number;
    do {
      await this.#atRest();
      receiveMs += this.#advance();
      received = (await readMetricsPage(this.#coordinator.metricsUrl)).value(RECEIVED);
    } while (received < this.#expectedBytes);
    if (this.#isCounting) this.#receiveMs += receiveMs;
    // The page took time as well.
    this.#advance();
  }

  sums(): PhaseSums {
    const ofThreads = this.#coordinator.workerThreads.map((id) => this.#others.get(id) ?? 0);
    const arithmeticMs = Math.max(0, ...ofThreads);
    const allMs = [...this.#others.values()].reduce((sum, ms) => sum + ms, 0);
    return {
      ...{ numSteps: this.#numSteps, uploads: this.#numUploads },
      ...{ receiveMs: this.#receiveMs, sendMs: this.#sendMs },
      ...{ arithmeticMs, otherMs: allMs - arithmeticMs },
    };
  }

  /** @returns what the main thread has done since the last time */
  #advance(): number {
    const before = this.#mark;
    this.#mark = this.#coordinator.threadTimes();
    const { pid } = this.#coordinator;
    for (const [thread, ms] of this.#mark) {
      const grown = ms - (before.get(thread) ?? ms);
      if (this.#isCounting && thread !== pid) {
        this.#others.set(thread, (this.#others.get(thread) ?? 0) + grown);
      }
    }
    return (this.#mark.get(pid) ?? 0) - (before.get(pid) ?? 0);
  }

  async #atRest(): Promise<void> {
    const { pid } = this.#coordinator;
    const mainMs = (): number => this.#coordinator.threadTimes().get(pid) ?? 0;
    let before: number;
    let after = mainMs();
    do {
      before = after;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      after = mainMs();
    } while (after - before > AT_REST_MS);
  }
}
