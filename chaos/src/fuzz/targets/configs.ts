/** Run and task configs in YAML, and keys of the command line. */

import { loadRunOrTaskConfig, parseOverride, RunError, trajectoryDigest } from "@ostinato/run";
import type { RunOrTaskConfig } from "@ostinato/run";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parserTarget, requireThat, textOf } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import {
  ADDING_TASK,
  COPY_TASK,
  PAIRS_RUN,
  SEQUENCE_RUN,
  TEXT_RUNS,
  WORDS,
} from "./config-samples.js";
import type { TargetTable } from "./table.js";

/** YAML takes time by the square of what is nested: of what people write, and not more. */
const MAX_BYTES = 4096;

/** A config that was taken is taken again, and is the same then; JSON is YAML. */
async function requireStable(loaded: RunOrTaskConfig, file: string): Promise<void> {
  if (loaded.kind === "run") trajectoryDigest(loaded.config);
  writeFileSync(file, JSON.stringify(loaded.config));
  const again = await loadRunOrTaskConfig({ file });
  requireThat(isDeepStrictEqual(again, loaded), () => "a config changes when it is read again");
}

function configTarget(name: string, seeds: readonly string[]): (folder: string) => FuzzTarget {
  return (folder) => {
    const file = join(folder, "given.yaml");
    return parserTarget({
      ...{ name, seeds, words: WORDS, refusals: [RunError], cost: 20 },
      parse: (input) => {
        writeFileSync(file, input.subarray(0, MAX_BYTES));
        return loadRunOrTaskConfig({ file });
      },
      check: (loaded) => requireStable(loaded, join(folder, "again.yaml")),
    });
  };
}

/** Up to eight `key=value`, one a line, over a config file. */
function overrides(folder: string): FuzzTarget {
  const file = join(folder, "base.yaml");
  writeFileSync(file, "data: { files: a.txt }\n");
  return parserTarget({
    ...{ name: "overrides", words: WORDS, refusals: [RunError], cost: 20 },
    seeds: [
      "training.epochs=2\nseed=7",
      "data.files=[a.txt, b.txt]\nmodel.cell=gru",
      "optimizer.schedule.kind=cosine\noptimizer.schedule.totalSteps=1e3",
      "name=2024\ndata.files=Book #1.txt",
      "training.earlyStopping.patience=3\nevaluation.everySteps=5",
    ],
    parse: (input) =>
      loadRunOrTaskConfig({
        file,
        overrides: textOf(input.subarray(0, MAX_BYTES)).split("\n").slice(0, 8),
      }),
    check: (loaded) => requireStable(loaded, join(folder, "again.yaml")),
  });
}

function override(): FuzzTarget {
  return parserTarget({
    ...{ name: "override", words: WORDS, refusals: [RunError], cost: 2 },
    seeds: [
      "training.epochs=2",
      "data.files=[a.txt, 'b #2.txt']",
      "name=1e3",
      "seed=null",
      "a=*.txt",
    ],
    parse: (input) => parseOverride(textOf(input.subarray(0, MAX_BYTES))),
    check: ({ path }, input) => {
      requireThat(
        path.length > 0 &&
          path.every((key) => key !== "") &&
          textOf(input).startsWith(`${path.join(".")}=`),
        () => "an override of another key",
      );
    },
  });
}

export const CONFIG_TARGETS = {
  runConfig: configTarget("runConfig", [...TEXT_RUNS, SEQUENCE_RUN, PAIRS_RUN]),
  taskConfig: configTarget("taskConfig", [ADDING_TASK, COPY_TASK]),
  override,
  overrides,
} as const satisfies TargetTable;
