import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import { BenchError } from "./bench-error.js";
import type { Sample, Side } from "./side.js";

export interface ProcessSideOptions {
  readonly name: string;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

type Reply = { readonly ok: { readonly medianMs?: number } } | { readonly error: string };

/**
 * A side in a process of its own, which answers one JSON line with one: `{"prepare": case}` with
 * `{"ok": {}}`, `{"measure": {"seconds": s}}` with `{"ok": {"medianMs": …}}`, either with `{"error": "…"}`.
 * It is started by the first `prepare`, and waits on its standard input in between.
 */
export class ProcessSide<Case extends object> implements Side<Case> {
  readonly name: string;
  readonly #options: ProcessSideOptions;
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #lines: AsyncIterator<string, undefined> | undefined;

  constructor(options: ProcessSideOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async prepare(measured: Case): Promise<void> {
    await this.#ask({ prepare: measured });
  }

  async measure(seconds: number): Promise<Sample> {
    const { medianMs } = await this.#ask({ measure: { seconds } });
    if (medianMs === undefined) throw this.#failed("it measured nothing");
    return { ms: medianMs };
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.stdin.end();
    await exited;
  }

  async #ask(request: object): Promise<{ readonly medianMs?: number }> {
    const { stdin, lines } = this.#started();
    stdin.write(`${JSON.stringify(request)}\n`);
    const line: IteratorResult<string, undefined> = await lines.next();
    if (line.done === true) throw this.#failed("its process ended");
    const reply = JSON.parse(line.value) as Reply;
    if ("error" in reply) throw this.#failed(reply.error);
    return reply.ok;
  }

  #started(): { readonly stdin: Writable; readonly lines: AsyncIterator<string, undefined> } {
    if (this.#child === undefined || this.#lines === undefined) {
      const { program, arguments: given, environment } = this.#options;
      const child = spawn(program, given, {
        stdio: ["pipe", "pipe", "inherit"],
        env: { ...process.env, ...environment },
      });
      // What went wrong is told by the end of its output.
      child.on("error", () => child.stdout.destroy());
      child.stdin.on("error", () => undefined);
      this.#child = child;
      this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    }
    return { stdin: this.#child.stdin, lines: this.#lines };
  }

  #failed(reason: string): BenchError {
    return new BenchError("sideFailed", `${this.name}: ${reason}`);
  }
}
