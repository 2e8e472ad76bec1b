/** Feeds every parser with inputs of any kind, and says what each did wrong. Loaded by bin/fuzz.js. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createTarget,
  describeFault,
  readFuzzOptions,
  reproducer,
  tableHead,
  tableRow,
  watchCampaign,
} from "./fuzz/index.js";
import type { FuzzFault } from "./fuzz/index.js";

const { inputs, seed, targets, input } = readFuzzOptions(process.argv.slice(2));
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

/** Feeds one target with one input, to see again what it did wrong. */
async function feedOnce(name: string, bytes: Uint8Array): Promise<FuzzFault | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "ostinato-fuzz-"));
  try {
    const { feed } = await createTarget(name, folder);
    tell(`${name}: ${(await feed(bytes)) ? "taken" : "refused as it should be"}`);
    return undefined;
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return describeFault(error, bytes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let numFaults = 0;
if (input !== undefined) {
  for (const target of targets) {
    if ((await feedOnce(target, input)) !== undefined) numFaults += 1;
  }
} else {
  let [numInputs, seconds] = [0, 0];
  tell(tableHead());
  for (const target of targets) {
    const watched = await watchCampaign(target, { inputs, seed });
    const faults = watched.kind === "finished" ? watched.result.faults : [watched.fault];
    if (watched.kind === "finished") {
      tell(tableRow(watched.result));
      numInputs += watched.result.numInputs;
      seconds += watched.result.seconds;
    }
    for (const fault of faults)
      tell(`FAULT ${target}: ${fault.what}\n  ${reproducer(target, fault)}`);
    numFaults += faults.length;
  }
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  tell(
    `${numInputs} inputs to ${targets.length} parsers in ${seconds.toFixed(0)} s with seed ${seed}, ` +
      `at most ${peakMb} MB of memory: ${numFaults} faults`,
  );
}
process.exitCode = numFaults === 0 ? 0 : 1;
