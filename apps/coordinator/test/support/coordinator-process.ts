/** A real coordinator process, from the compiled door. */

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";

import type { RunConfig } from "@ostinato/run";

const program = fileURLToPath(new URL("coordinator-main.mjs", import.meta.url));

export interface CoordinatorProcessOptions {
  readonly config: RunConfig;
  readonly runDirectory: string;
  readonly resume?: boolean;
  readonly http?: string;
}

export class CoordinatorProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;
  output = "";
  #wake: () => void = () => undefined;

  constructor(options: CoordinatorProcessOptions) {
    const full = {
      ...{ listen: "127.0.0.1:0", http: "127.0.0.1:0", console: "none" },
      ...{ insecure: false, resume: false, ...options },
    };
    this.#child = spawn(process.execPath, [program, JSON.stringify(full)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const outputs = [this.#child.stdout, this.#child.stderr].filter((stream) => stream !== null);
    for (const stream of outputs) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#exit = Promise.all([
      once(this.#child, "exit"),
      ...outputs.map((stream) => finished(stream)),
    ]).then(([[code, signal]]) => (code ?? signal) as number | string);
  }

  /** The exit code, or the name of the signal that ended it. */
  ended(): Promise<number | string> {
    return this.#exit;
  }

  /** Its address, once it listens and its run directory is there. */
  async ready(): Promise<string> {
    for (;;) {
      const address = /^ready (\S+)$/m.exec(this.output)?.[1];
      if (address !== undefined) return address;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        this.#exit.then((code) => {
          throw new Error(`the coordinator ended with ${code}: ${this.output}`);
        }),
      ]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}
