/** Runs a campaign in a thread of its own, and ends it when it hangs. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { CampaignResult } from "./campaign.js";
import type { FuzzFault } from "./faults.js";
import { createMailbox, lastAnnounced, numAnnounced } from "./mailbox.js";

/** What a thread is given. */
export interface ThreadRequest {
  readonly target: string;
  readonly inputs: number;
  readonly seed: number;
  /** For the files of parsers that read files; empty, and removed afterwards. */
  readonly folder: string;
  readonly mailbox: SharedArrayBuffer;
}

export type WatchedResult =
  | { readonly kind: "finished"; readonly result: CampaignResult }
  /** It hung or died, with an input that may be the one to blame. */
  | { readonly kind: "lost"; readonly target: string; readonly fault: FuzzFault };

export interface WatchOptions {
  readonly inputs: number;
  readonly seed: number;
  /** For how long one input may take. */
  readonly patienceMs?: number;
  /** The module of the thread, for tests. */
  readonly thread?: URL;
}

/** A parser that takes this long for 64 KiB hangs, whatever else the machine does. */
const PATIENCE_MS = 20_000;
const MAX_HEAP_MB = 768;

export async function watchCampaign(target: string, options: WatchOptions): Promise<WatchedResult> {
  const { inputs, seed, patienceMs = PATIENCE_MS } = options;
  const folder = mkdtempSync(join(tmpdir(), "ostinato-fuzz-"));
  const mailbox = createMailbox();
  const workerData: ThreadRequest = { target, inputs, seed, folder, mailbox };
  const worker = new Worker(options.thread ?? new URL("thread.js", import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const lost = (what: string): WatchedResult => ({
    ...{ kind: "lost", target },
    fault: { what, input: lastAnnounced(mailbox) },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<WatchedResult>((resolve) => {
      let seen = numAnnounced(mailbox);
      timer = setInterval(() => {
        const now = numAnnounced(mailbox);
        if (now === seen && now > 0) resolve(lost(`no answer within ${patienceMs} ms`));
        seen = now;
      }, patienceMs);
      worker.once("message", (result: CampaignResult) => {
        resolve({ kind: "finished", result });
      });
      worker.once("error", (error) => {
        resolve(lost(`the thread ended: ${error.name}: ${error.message}`));
      });
      worker.once("exit", (code) => {
        resolve(lost(`the thread ended with code ${code}`));
      });
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}
