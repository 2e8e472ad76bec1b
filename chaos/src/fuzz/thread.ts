/** The thread in which a parser is fed: it may hang or run out of memory without taking the fuzzer along. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { runCampaign } from "./campaign.js";
import { Coverage } from "./coverage.js";
import { announce } from "./mailbox.js";
import type { ThreadRequest } from "./watch.js";

const { target: name, folder, mailbox, inputs: numInputs, seed } = workerData as ThreadRequest;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const usedBytes = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

// V8 counts the blocks of functions that are compiled from here on, and of others whether they ran at all.
const fuzzer = new URL("../..", import.meta.url).href;
const guide = new Coverage((url) => url.startsWith("file:") && !url.startsWith(fuzzer));
const { createTarget } = await import("./targets/index.js");
const target = await createTarget(name, folder);
const result = await runCampaign(target, {
  ...{ numInputs, seed, guide, usedBytes },
  announce: (input) => {
    announce(mailbox, input);
  },
});
guide.close();
parentPort?.postMessage(result);
