/** A real worker process, from the compiled door. */

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { finished } from "node:stream/promises";

import type { WorkerOptions } from "../../src/index.js";

const door = new URL("../../dist/index.js", import.meta.url).href;

const PROGRAM = `
  import { Worker } from 'node:worker_threads';
  import { runWorker } from ${JSON.stringify(door)};
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (...message) {
    process.removeAllListeners('SIGUSR2').once('SIGUSR2', () => this.terminate());
    return postMessage.apply(this, message);
  };
  const options = JSON.parse(process.argv[1]);
  const onReady = ({ metricsAddress }) => process.stdout.write('ready ' + metricsAddress + '\\n');
  process.exitCode = await runWorker({ ...options, onReady });
`;

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;
  output = "";
  #wake: () => void = () => undefined;

  constructor(options: Partial<WorkerOptions> & Pick<WorkerOptions, "coordinator">) {
    const full = { deadlineSeconds: 20, console: "pretty", name: "tested", ...options };
    this.#child = spawn(
      process.execPath,
      ["--input-type=module", "--eval", PROGRAM, JSON.stringify(full)],
      { stdio: ["ignore", "pipe", "pipe", "ipc"] },
    );
    const outputs = [this.#child.stdout, this.#child.stderr].filter((stream) => stream !== null);
    for (const stream of outputs) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    // Not "close", which Node does not emit once this end has closed the IPC channel.
    this.#exit = Promise.all([
      once(this.#child, "exit"),
      ...outputs.map((stream) => finished(stream)),
    ]).then(([[code, signal]]) => (code ?? signal) as number | string);
  }

  /** The exit code, or the name of the signal that ended it. */
  ended(): Promise<number | string> {
    return this.#exit;
  }

  /** Where it shows its metrics. */
  async metricsAddress(): Promise<string> {
    const [, address = ""] = await this.said(/^ready (\S+)$/m);
    return address;
  }

  /** Resolves with the first match in its output, there already or to come. */
  async said(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = text.exec(this.output);
      if (match !== null) return match;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        this.#exit.then((code) => {
          throw new Error(`the worker ended with ${code}: ${this.output}`);
        }),
      ]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the thread that computes, as running out of memory does. */
  killThread(): void {
    this.#child.kill("SIGUSR2");
  }

  /** The lines of its output that have this in them. */
  linesWith(text: string): readonly string[] {
    return this.output.split("\n").filter((line) => line.includes(text));
  }

  /** What it sees when its parent dies. */
  disconnect(): void {
    this.#child.disconnect();
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}
