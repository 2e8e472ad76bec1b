import { runWorker } from "@ostinato/worker";
import type { WorkerOptions } from "@ostinato/worker";

import type { WorkerCommandOptions } from "../../command-line/index.js";
import { clientSecurity } from "../arguments/index.js";
import type { Terminal } from "../terminal.js";

/** `ostinato worker`: everything but the address comes from the coordinator. */
export async function worker(
  options: WorkerCommandOptions,
  { worker: prepared }: Terminal,
): Promise<number> {
  const workerOptions: WorkerOptions = {
    coordinator: options.coordinator,
    backend: options.backend,
    threads: options.threads,
    http: options.http,
    insecure: options.insecure,
    security: clientSecurity({ ...options.security, insecure: options.insecure }),
    deadlineSeconds: options.deadline,
    cacheDirectory: options.cacheDir,
    logFile: options.logFile,
    name: options.name,
    console: process.send === undefined ? "pretty" : "none",
  };
  const exitCode = await runWorker(workerOptions, prepared);
  // An open channel would keep the process.
  if (process.connected) process.disconnect();
  return exitCode;
}
