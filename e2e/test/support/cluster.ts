import { createCoordinatorClient } from "@ostinato/proto";
import type { ClientSecurity, CoordinatorClient, StatusReply } from "@ostinato/proto";
import { openRunDirectory, readLedger } from "@ostinato/run";
import type { EndRecord, LedgerContents, StepRecord } from "@ostinato/run";
import { startChild } from "./processes.js";
import type { Program, StartOptions } from "./processes.js";
import { waitFor } from "./waiting.js";

interface Ready {
  readonly kind: "ready";
  readonly address: string;
  readonly metricsAddress: string;
  readonly runDirectory: string;
}

/** A coordinator and the workers that the test starts, each a process that it can signal. */
export class Cluster {
  readonly coordinator: Program;
  readonly ready: Ready;
  readonly client: CoordinatorClient;
  readonly workers: Program[] = [];

  private constructor(coordinator: Program, ready: Ready, security: ClientSecurity | undefined) {
    this.coordinator = coordinator;
    this.ready = ready;
    this.client = createCoordinatorClient(ready.address, { security });
  }

  /** @param config undefined: the run's own, which `flags` resume */
  static async start(
    config: string | undefined,
    runDirectory: string,
    flags: readonly string[] = [],
    security?: ClientSecurity,
    options: StartOptions = {},
  ): Promise<Cluster> {
    const coordinator = startCoordinator(config, runDirectory, flags, options);
    return new Cluster(coordinator, await coordinator.message<Ready>("ready"), security);
  }

  addWorker(options: StartOptions = {}, flags: readonly string[] = []): Program {
    return this.addWorkerAt(this.ready.address, options, flags);
  }

  /** One that comes by another address. */
  addWorkerAt(address: string, options: StartOptions = {}, flags: readonly string[] = []): Program {
    const worker = startChild(["worker", "--coordinator", address, ...flags], options);
    this.workers.push(worker);
    return worker;
  }

  status(): Promise<StatusReply> {
    return this.client.status();
  }

  /** The worker as the coordinator knows it, by the process id in its name. */
  async statusOf(worker: Program): Promise<StatusReply["workers"][number] | undefined> {
    const { workers } = await this.status();
    return workers.find(({ name }) => name.endsWith(`-${worker.pid}`));
  }

  /**
   * Stops a worker in the middle of a lease, which it cannot finish then.
   *
   * @returns its id
   */
  async freeze(worker: Program): Promise<string> {
    return waitFor("a frozen worker with an unfinished lease", async () => {
      worker.kill("SIGSTOP");
      const before = await this.statusOf(worker);
      if (before !== undefined && before.leaves.length > 0) {
        const { step } = await this.status();
        const again = await waitFor("the step to wait", async () => this.statusOf(worker));
        if (again.leaves.length > 0 && (await this.status()).step === step) return before.workerId;
      }
      worker.kill("SIGCONT");
      return undefined;
    });
  }

  /** Waits until this many workers take part. */
  async joined(numWorkers: number): Promise<void> {
    await waitFor(`${numWorkers} workers`, async () => {
      const { workers } = await this.status();
      return workers.filter(({ state }) => state === "active").length >= numWorkers || undefined;
    });
  }

  /** Waits until this step is committed, and another one after it. */
  async passes(step: number): Promise<void> {
    await waitFor(`step ${step}`, async () => (await this.status()).step > step || undefined);
  }

  /** @param sample as it stands on the metrics page, labels and all; @returns NaN for one that is not there */
  async metric(sample: string): Promise<number> {
    const page = await (await fetch(`${this.ready.metricsAddress}/metrics`)).text();
    const line = page.split("\n").find((candidate) => candidate.startsWith(`${sample} `));
    return Number(line?.slice(sample.length) ?? NaN);
  }

  async completed(): Promise<void> {
    const { code, stderr } = await this.coordinator.finished();
    if (code !== 0) throw new Error(`the coordinator ended with ${code}: ${stderr}`);
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    this.client.close();
    for (const program of [...this.workers, this.coordinator]) {
      if (program.isRunning) program.kill("SIGKILL");
      await program.finished();
    }
  }
}

/** A coordinator that need not come to be ready. */
export function startCoordinator(
  config: string | undefined,
  runDirectory: string,
  flags: readonly string[] = [],
  options: StartOptions = {},
): Program {
  const args = [
    ...["coordinator", ...(config === undefined ? [] : [config])],
    ...["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--run-dir", runDirectory],
    ...flags,
  ];
  return startChild(args, options);
}

/** `--set` for each of these. */
export function settingFlags(settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ["--set", setting]);
}

/** A whole run that nothing disturbs, its workers' ends included; returns its run directory. */
export async function trainToTheEnd(
  config: string,
  runDirectory: string,
  options: {
    readonly settings?: readonly string[];
    readonly workers: readonly StartOptions[];
  },
): Promise<string> {
  const { settings = [], workers } = options;
  const cluster = await Cluster.start(config, runDirectory, settingFlags(settings));
  try {
    for (const worker of workers) cluster.addWorker(worker);
    await cluster.completed();
    let numLeft = 0;
    for (const worker of cluster.workers) {
      const { code, signal, stderr } = await worker.finished();
      // A short run may be over before the last worker is up.
      const cameTooLate = code === 1 && stderr.includes("is not reachable");
      if (code !== 0 && !cameTooLate) {
        throw new Error(`a worker ended with ${signal ?? code}: ${stderr}`);
      }
      if (code === 0) numLeft += 1;
    }
    if (numLeft === 0) throw new Error("no worker was there at the run's end");
  } finally {
    await cluster.close();
  }
  return runDirectory;
}

export async function ledgerOf(runDirectory: string): Promise<LedgerContents> {
  const { paths } = await openRunDirectory(runDirectory);
  return readLedger(paths.ledger);
}

export function stepsOf(ledger: LedgerContents): readonly StepRecord[] {
  return ledger.records.filter((record) => record.type === "step");
}

export function endOf(ledger: LedgerContents): EndRecord {
  const end = ledger.records.find((record) => record.type === "end");
  if (end === undefined) throw new Error("the ledger has no end");
  return end;
}
