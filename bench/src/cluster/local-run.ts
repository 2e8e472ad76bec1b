import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { BenchError } from "../sides/index.js";
import { LAUNCHER } from "./repository.js";

export interface LocalRunOptions {
  /** Path of a run config. */
  readonly config: string;
  readonly runDirectory: string;
  readonly numWorkers: number;
  readonly backend: string;
  /** As `--set` takes them. */
  readonly settings?: readonly string[];
}

/** A step as the run told it. */
export interface TakenStep {
  readonly step: number;
  readonly atMs: number;
}

interface RunEvent {
  readonly event: string;
  readonly step?: number;
  readonly metricsUrl?: string;
}

/** `ostinato train`: the coordinator and its workers as the command line starts them. */
export class LocalRun {
  readonly startedAtMs = performance.now();
  readonly #options: LocalRunOptions;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #steps: TakenStep[] = [];
  /** Why no more steps come. */
  #ending: string | undefined;
  #wake: () => void = () => undefined;
  #lastWords = "";
  #metricsUrl = "";
  /** A benchmark that is ended leaves nothing behind. */
  readonly #endWithUs = (): void => void this.#child.kill("SIGTERM");

  constructor(options: LocalRunOptions) {
    this.#options = options;
    const { config, runDirectory, numWorkers, backend, settings = [] } = options;
    this.#child = spawn(
      process.execPath,
      [
        ...[LAUNCHER, "train", config, "--json"],
        ...["--run-dir", runDirectory, "--workers", String(numWorkers)],
        ...[`numerics.backend=${backend}`, ...settings].flatMap((setting) => ["--set", setting]),
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    process.once("exit", this.#endWithUs);
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      this.#lastWords = line;
    });
    createInterface({ input: this.#child.stdout })
      .on("line", (line) => {
        this.#take(line, performance.now());
      })
      .on("close", () => {
        this.#ending ??= this.#lastWords;
        this.#wake();
      });
  }

  /** The coordinator's metrics page; known with the first step. */
  get metricsUrl(): string {
    return this.#metricsUrl;
  }

  /** @throws BenchError `sideFailed` when the run ends before */
  async nextStep(): Promise<TakenStep> {
    for (;;) {
      const step = this.#steps.shift();
      if (step !== undefined) return step;
      if (this.#ending !== undefined) {
        const where = this.#options.runDirectory;
        throw new BenchError("sideFailed", `the run in ${where} ended: ${this.#ending}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** From here on, `nextStep` gives steps that are yet to come. */
  forgetSteps(): void {
    this.#steps = [];
  }

  /** The process of a worker by its name, such as `worker-1`. */
  processOf(worker: string): number {
    return Number(this.#logged(worker, "pid"));
  }

  /** The metrics page of a worker by its name. */
  metricsUrlOf(worker: string): string {
    return `${this.#logged(worker, "metricsAddress")}/metrics`;
  }

  /** What the first line of a worker's log that has this field says. */
  #logged(worker: string, field: string): string | number {
    const path = join(this.#options.runDirectory, "logs", `${worker}.log`);
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    for (const line of lines) {
      const value = (JSON.parse(line) as Readonly<Record<string, string | number>>)[field];
      if (value !== undefined) return value;
    }
    throw new BenchError("sideFailed", `${path} has no ${field}`);
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<void> {
    process.off("exit", this.#endWithUs);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdout.resume();
    this.#child.kill("SIGINT");
    await exited;
  }

  #take(line: string, atMs: number): void {
    const { event, step, metricsUrl } = JSON.parse(line) as RunEvent;
    if (metricsUrl !== undefined) this.#metricsUrl = metricsUrl;
    if (event === "ended") this.#ending = line;
    if (event === "step" && step !== undefined) this.#steps.push({ step, atMs });
    this.#wake();
  }
}
