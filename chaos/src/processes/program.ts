import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AgentOrders } from "../agent/index.js";

const LAUNCHER = fileURLToPath(new URL("../../../apps/cli/bin/ostinato.js", import.meta.url));
// Also when this very file is run from its source: a child has no use for TypeScript.
const AGENT = new URL("../../dist/agent/agent.js", import.meta.url).href;
/** Then a fault that fills the heap takes no time, and nothing from others. */
const MAX_HEAP_MIB = 256;

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  readonly isRunning: boolean;
  readonly exited: Promise<ProgramExit>;
  /** The first IPC message of this kind; rejects if the process ends before it. */
  message<T extends { readonly kind: string }>(kind: T["kind"]): Promise<T>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts the committed launcher as a local cluster starts its children: with a channel, whose end ends them. */
export function startProgram(args: readonly string[], orders: AgentOrders): Program {
  const child = fork(LAUNCHER, [...args], {
    execArgv: ["--import", AGENT, `--max-old-space-size=${MAX_HEAP_MIB}`],
    env: {
      ...process.env,
      OSTINATO_CHAOS_ORDERS: JSON.stringify(orders),
      // A mutation names the file that it changes.
      ...(orders.mutation && { OSTINATO_UNBUNDLED: "1" }),
    },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("no process could be started");
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const messages: unknown[] = [];
  const heard: (() => void)[] = [];
  child.on("message", (message) => {
    messages.push(message);
    for (const listener of heard.splice(0)) listener();
  });
  const exited = once(child, "close").then(([code, signal]): ProgramExit => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stderr,
  }));
  void exited.then(() => {
    for (const listener of heard.splice(0)) listener();
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    exited,
    get isRunning() {
      return isRunning();
    },
    message: async <T extends { readonly kind: string }>(kind: T["kind"]): Promise<T> => {
      for (;;) {
        const found = messages.find(
          (message): message is T => (message as { kind?: unknown }).kind === kind,
        );
        if (found !== undefined) return found;
        if (!isRunning()) throw new Error(`ended before it said ${kind}: ${stderr.trim()}`);
        await new Promise<void>((resolve) => heard.push(resolve));
      }
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
