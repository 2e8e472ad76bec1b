import { Command, InvalidArgumentError } from "commander";
import { inputOf } from "./input-text.js";
import { TARGET_NAMES } from "../targets/index.js";

export interface FuzzOptions {
  /** To each parser; to those that read files so many times fewer as they are slower. */
  readonly inputs: number;
  readonly seed: number;
  /** Names of parsers. */
  readonly targets: readonly string[];
  /** The one input to feed instead. */
  readonly input: Uint8Array | undefined;
}

/** Reads the command line; commander ends the process for help and for mistakes, with one line. */
export function readFuzzOptions(args: readonly string[]): FuzzOptions {
  const program = new Command("npm run fuzz --")
    .description("Feeds every parser with inputs of any kind: none may crash, hang or grow.")
    .option("--inputs <n>", "to each parser, fewer to those that read files", wholeNumber, 40_000)
    .option("--seed <n>", "of the generator", wholeNumber, 1)
    .option("--target <names>", `some parsers alone, of ${TARGET_NAMES.join(", ")}`, names)
    .option("--input <text>", "feeds the input of a reported fault alone, to one parser", bytes)
    .showSuggestionAfterError()
    .parse(args, { from: "user" });
  const { inputs, seed, target, input } = program.opts<{
    readonly inputs: number;
    readonly seed: number;
    readonly target?: readonly string[];
    readonly input?: Uint8Array;
  }>();
  if (input !== undefined && target?.length !== 1) {
    program.error("error: --input needs one --target");
  }
  return { inputs, seed, targets: target ?? TARGET_NAMES, input };
}

function names(text: string): readonly string[] {
  return text.split(",").map((name) => {
    if (TARGET_NAMES.includes(name)) return name;
    throw new InvalidArgumentError(`'${name}' is none of them.`);
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw new InvalidArgumentError("It must be a whole number from 0 to 2147483647.");
}

function bytes(text: string): Uint8Array {
  try {
    return inputOf(text);
  } catch {
    throw new InvalidArgumentError("It must be base64, or z: and packed base64.");
  }
}
