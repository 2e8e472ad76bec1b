import { Command, InvalidArgumentError, Option } from "commander";
import { CATALOGUE } from "../faults/index.js";
import { MUTATIONS } from "../mutations/index.js";

export interface ChaosOptions {
  /** Of the first schedule; the others have the seeds after it. */
  readonly seed: number;
  readonly schedules: number;
  /** Plays schedules for so long instead. */
  readonly minutes: number | undefined;
  /** Kinds of faults; of each schedule the others are left out. Empty: all. */
  readonly only: readonly string[];
  readonly mutation: string | undefined;
}

/** Reads the command line; commander ends the process for help and for mistakes, with one line. */
export function readOptions(args: readonly string[]): ChaosOptions {
  const kinds = CATALOGUE.map(({ kind }) => kind);
  const program = new Command("npm run chaos --")
    .description("Plays seeded schedules of faults on real clusters, and checks every promise.")
    .option("--seed <n>", "of the first schedule", wholeNumber, 1)
    .option("--schedules <n>", "how many, with the seeds that follow", wholeNumber, 1)
    .option("--minutes <n>", "plays schedules for so long instead", positive)
    .option(
      "--only <kinds>",
      `leaves out every fault but these, of ${kinds.join(", ")}`,
      list(kinds),
      [],
    )
    .addOption(
      new Option("--mutation <name>", "breaks a promise on purpose").choices(
        MUTATIONS.map(({ name }) => name),
      ),
    )
    .showSuggestionAfterError()
    .parse(args, { from: "user" });
  return program.opts<ChaosOptions>();
}

function list(names: readonly string[]): (text: string) => readonly string[] {
  return (text) =>
    text.split(",").map((name) => {
      if (names.includes(name)) return name;
      throw new InvalidArgumentError(`'${name}' is none of them.`);
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw new InvalidArgumentError("It must be a whole number from 0 to 2147483647.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}
