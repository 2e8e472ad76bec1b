import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { readMetricsPage } from "../cluster/index.js";
import { BenchError } from "../sides/index.js";

const PROGRAM = fileURLToPath(new URL("coordinator-main.js", import.meta.url));

/** Milliseconds of processor time, by thread; the main thread has the process's id. */
export type ThreadTimes = ReadonlyMap<number, number>;

interface Ready {
  readonly address: string;
  readonly metricsAddress: string;
  readonly workerThreads: readonly number[];
}

/** The real coordinator, and how long each of its threads has computed. */
export class CoordinatorProcess {
  readonly pid: number;
  /** HOST:PORT for workers. */
  readonly address: string;
  readonly metricsUrl: string;
  /** Its threads that run JavaScript, but for the main one: one of them does the arithmetic. */
  readonly workerThreads: readonly number[];
  /** Rejects with BenchError `sideFailed` when it is gone. */
  readonly ended: Promise<never>;
  readonly #child: ChildProcess;

  /** @throws BenchError `sideFailed` if it ends before it listens */
  static async start(configFile: string, runDirectory: string): Promise<CoordinatorProcess> {
    const child = fork(PROGRAM, [configFile, runDirectory]);
    const ended = once(child, "exit").then(([code]) => {
      throw new BenchError("sideFailed", `the coordinator ended with ${String(code)}`);
    });
    ended.catch(() => undefined);
    const [ready] = (await Promise.race([once(child, "message"), ended])) as [Ready];
    return new CoordinatorProcess(child, ready, ended);
  }

  private constructor(
    child: ChildProcess,
    { address, metricsAddress, workerThreads }: Ready,
    ended: Promise<never>,
  ) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.address = address;
    this.metricsUrl = `${metricsAddress}/metrics`;
    this.workerThreads = workerThreads;
    this.ended = ended;
  }

  /**
   * Of each thread since it was started, as Linux counts it: what else the machine does is not in it.
   *
   * @throws BenchError `sideFailed` where the system has no such count
   */
  threadTimes(): ThreadTimes {
    const tasks = `/proc/${this.pid}/task`;
    try {
      return new Map(
        readdirSync(tasks).map((thread) => {
          const [nanoseconds] = readFileSync(`${tasks}/${thread}/schedstat`, "utf8").split(" ");
          return [Number(thread), Number(nanoseconds) / 1e6];
        }),
      );
    } catch (error) {
      const why = "needs the processor time of each thread, which Linux has in /proc";
      throw new BenchError("sideFailed", why, { cause: error });
    }
  }

  /** The most memory that it has had resident at once. */
  async peakBytes(): Promise<number> {
    const page = await readMetricsPage(this.metricsUrl);
    return page.value("ostinato_coordinator_peak_resident_memory_bytes");
  }

  /** At once: nothing of this run is wanted any more. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
