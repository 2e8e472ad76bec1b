import { Command, InvalidArgumentError, Option } from "commander";

import { ROW_NAMES } from "../report/index.js";
import type { RowName } from "../report/index.js";

export interface BenchOptions {
  readonly rows: readonly RowName[];
  readonly cases: string;
  readonly backend: readonly string[];
  readonly threads: number;
  readonly peer: "pytorch" | undefined;
  readonly python: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  /** Path of the JSON. */
  readonly output: string;
}

export interface OptionModules {
  /** Backends that can be named. */
  readonly backends: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the JSON, unless it is given. */
  readonly outputByDefault: string;
}

const QUICK = { rounds: 1, seconds: 0.01 } as const;
const THOROUGH = { rounds: 5, seconds: 0.5 } as const;

/** The slowest by far, and nobody's choice: measured when named. */
const NOT_BY_DEFAULT = "cpu";

/** Reads the command line; commander ends the process for help and for mistakes, with one line. */
export function readOptions(args: readonly string[], modules: OptionModules): BenchOptions {
  const { backends, environment, outputByDefault } = modules;
  const program = new Command("npm run bench --")
    .description("Measures kernels, whole steps, clusters, the wire; alone or beside a peer.")
    .option("--rows <names>", `of ${ROW_NAMES.join(",")}`, listOf(ROW_NAMES), ROW_NAMES)
    .option("--cases <text>", "only cases whose name contains it", "")
    .option(
      "--backend <names>",
      `of ${backends.join(",")}`,
      listOf(backends),
      backends.filter((name) => name !== NOT_BY_DEFAULT),
    )
    .option(
      "--threads <n>",
      "threads of each side in machine, kernel, step and leaves",
      positive,
      1,
    )
    .addOption(new Option("--peer <name>", "who is measured beside us").choices(["pytorch"]))
    .option(
      "--python <path>",
      "a Python that has the peer (default: OSTINATO_PYTHON, else python3)",
      environment["OSTINATO_PYTHON"] ?? "python3",
    )
    .option("--quick", "tiny shapes, one round: whether it works, not how fast", false)
    .option("--rounds <n>", `of all sides in turn (default: ${THOROUGH.rounds})`, positive)
    .option("--seconds <s>", `of one measurement (default: ${THOROUGH.seconds})`, positive)
    .option("--output <path>", "where the JSON goes", outputByDefault)
    .showSuggestionAfterError()
    .parse(args, { from: "user" });
  const given = program.opts<BenchOptions>();
  return { ...(given.quick ? QUICK : THOROUGH), ...given };
}

function listOf<Name extends string>(names: readonly Name[]): (text: string) => readonly Name[] {
  const isName = (text: string): text is Name => (names as readonly string[]).includes(text);
  return (text) =>
    text.split(",").map((name) => {
      if (isName(name)) return name;
      throw new InvalidArgumentError(`'${name}' is none of ${names.join(", ")}.`);
    });
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}
