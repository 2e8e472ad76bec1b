import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { launcher } from "./workspace.js";
import { waitFor } from "./waiting.js";

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One `ostinato …` process. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  readonly #messages: unknown[] = [];
  #stdout = "";
  #stderr = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    child.on("message", (message) => this.#messages.push(message));
    this.#ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("not started");
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The first IPC message of this kind. */
  message<T extends { readonly kind: string }>(kind: T["kind"]): Promise<T> {
    return waitFor(`message ${kind}`, () => {
      if (!this.isRunning) throw new Error(`ended before ${kind}: ${this.#stderr}`);
      return this.#messages.find(
        (message): message is T => (message as { kind?: unknown }).kind === kind,
      );
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async finished(): Promise<Finished> {
    const [code, signal] = await this.#ended;
    return { code, signal, stdout: this.#stdout, stderr: this.#stderr };
  }
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** LONGEST_LIFE_MS unless given: for a test whose own bound is another one than that of all. */
  readonly longestLifeMs?: number;
}

/** A program that a failing test leaves behind ends by itself, before the test's own bound. */
const LONGEST_LIFE_MS = 110_000;

/** Starts the committed launcher, as `npx ostinato` does. */
export function start(args: readonly string[], options: StartOptions = {}): Program {
  const { cwd, env = {}, longestLifeMs = LONGEST_LIFE_MS } = options;
  return new Program(
    spawn(process.execPath, [launcher, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: longestLifeMs,
    }),
  );
}

/** The same with an IPC channel, as a local cluster starts its children. */
export function startChild(args: readonly string[], options: StartOptions = {}): Program {
  const { cwd, env = {}, longestLifeMs = LONGEST_LIFE_MS } = options;
  return new Program(
    fork(launcher, [...args], {
      cwd,
      env: { ...process.env, ...env },
      // Without the import conditions of the test run.
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      timeout: longestLifeMs,
    }),
  );
}

export async function run(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return start(args, options).finished();
}
