/** The commands, their options and their help. */

import { Command, Option } from "commander";

import { numberFromZero, positiveNumber, wholeNumber } from "./arguments.js";
import { addClusterCommands } from "./cluster-commands.js";
import type {
  Commands,
  DiagnoseOptions,
  DoctorOptions,
  EvaluateOptions,
  GenerateOptions,
  PredictOptions,
  SummaryOptions,
  TrainOptions,
  TranslateOptions,
  VerifyOptions,
} from "./options.js";
import { CONFIG, requireRun, setOption } from "./shared-options.js";

export interface ProgramModules {
  readonly commands: Commands;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  /** Given the exit code of the command that ran. */
  readonly onExitCode: (exitCode: number) => void;
}

const TRAIN_HELP = `
Examples:
  ostinato train examples/moby-dick.yaml
  ostinato train examples/text.yaml --set data.files=/path/book.txt     your own text
  ostinato train run.yaml --workers 4 --set training.epochs=3 optimizer.learningRate=1e-3
  ostinato train --run-dir runs/mine --resume                           go on after a stop, with the run's own config

Relative paths in the config start from its folder, those in --set from the present one.`;

const DIAGNOSE_HELP = `
Examples:
  ostinato diagnose examples/diagnose/adding-problem.yaml
  ostinato diagnose examples/diagnose/adding-problem.yaml --compare model.cell=rnn,gru,lstm --svg cells.svg
  ostinato diagnose examples/diagnose/copy-task.yaml --steps 300 --compare optimizer.clipping.kind=none,globalNorm
  ostinato diagnose examples/moby-dick.yaml --steps 100
  ostinato diagnose examples/translate.yaml --compare model.attention=none,additive
  ostinato diagnose runs/moby-dick-20261124T031509Z                     a run as it is

docs/training/diagnose.md says what is measured and what to make of it.`;

type Config = TrainOptions["config"];

/** The `ostinato` program; parsing throws commander's errors instead of ending the process. */
export function createProgram({
  commands,
  version,
  writeOut,
  onExitCode,
}: ProgramModules): Command {
  const program = new Command("ostinato")
    .description("Trains LSTM networks on many processes, from TypeScript")
    .version(version)
    .exitOverride()
    // The one line of an error is written by the caller.
    .configureOutput({ writeOut, writeErr: () => undefined, outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText("after", "\nSet OSTINATO_DEBUG=1 to see the stack of an error.");

  program
    .command("train")
    .description("train with a local coordinator and worker processes")
    .argument("[config]", CONFIG)
    .option("--workers <n>", "worker processes, instead of cluster.workers", wholeNumber(1, 256))
    .addOption(setOption())
    .option("--run-dir <dir>", "run directory (default: a new one under runs/)")
    .option("--resume", "go on from the newest checkpoint of --run-dir", false)
    .option("--json", "one JSON object a line on standard output, and nothing else", false)
    .addHelpText("after", TRAIN_HELP)
    .action(async (config: Config, options: Omit<TrainOptions, "config">, command: Command) => {
      const { workers, runDir, set, resume, json } = options;
      requireRun({ ...options, config }, command);
      onExitCode(await commands.train({ config, workers, set, runDir, resume, json }));
    });

  addClusterCommands(program, { commands, onExitCode });

  program
    .command("generate")
    .description("write text with a trained model")
    .argument("<run>", "run directory; its best checkpoint is used, else the latest")
    .option("--prompt <text>", "what the text goes on from")
    .option("--length <n>", "characters to write", wholeNumber(1, 1_000_000), 500)
    .option(
      "--temperature <t>",
      "the lower, the likelier; 0 always takes the likeliest",
      numberFromZero,
      0.8,
    )
    .option("--top-p <p>", "leave out the least likely, beyond this mass", positiveNumber(1), 1)
    .option("--seed <s>", "the same seed writes the same text", wholeNumber(0), 1)
    .action(async (run: string, options: Omit<GenerateOptions, "run">) => {
      const { prompt, length, temperature, topP, seed } = options;
      onExitCode(await commands.generate({ run, prompt, length, temperature, topP, seed }));
    });

  program
    .command("evaluate")
    .description("measure a trained model; of text, beside n-gram models of the same text")
    .argument("<run>", "run directory; its best checkpoint is used, else the latest")
    .addOption(
      new Option("--split <name>", "part of the data")
        .choices(["train", "validation", "test"])
        .default("test"),
    )
    .option("--json", "one JSON object on standard output, and nothing else", false)
    .action(async (run: string, options: Omit<EvaluateOptions, "run">) => {
      onExitCode(await commands.evaluate({ ...options, run }));
    });

  program
    .command("predict")
    .description("say what a trained sequence model makes of sequences, a JSON object a line")
    .argument("<run>", "run directory; its best checkpoint is used, else the latest")
    .requiredOption("--input <file>", "JSON Lines with the inputs of one sequence each")
    .action(async (run: string, options: Omit<PredictOptions, "run">) => {
      onExitCode(await commands.predict({ ...options, run }));
    });

  program
    .command("translate")
    .description("translate sources with a trained encoder–decoder, a JSON object a line")
    .argument("<run>", "run directory; its best checkpoint is used, else the latest")
    .option("--input <file>", "JSON Lines with the source of one pair each")
    .option("--text <text>", "one source: its characters, or its words where sources are lists")
    .option("--beam-size <n>", "targets followed at once", wholeNumber(1, 1000), 5)
    .option("--max-length <n>", "most tokens of a target", wholeNumber(0, 100_000), 200)
    .option(
      "--length-penalty <a>",
      "prefer longer targets; 0 ranks by probability alone",
      numberFromZero,
      0,
    )
    .option("--n-best <n>", "targets of each source, up to --beam-size", wholeNumber(1, 1000), 1)
    .action(async (run: string, options: TranslateArguments, command: Command) => {
      const { input, text, beamSize, maxLength, lengthPenalty, nBest: numBest } = options;
      if ((input === undefined) === (text === undefined)) {
        command.error("error: translate needs one of --input and --text");
      }
      if (numBest > beamSize) {
        command.error(`error: --n-best is ${numBest}; it is at most --beam-size, ${beamSize}`);
      }
      const request = { beamSize, maxLength, lengthPenalty, numBest };
      onExitCode(await commands.translate({ run, input, text, ...request }));
    });

  program
    .command("summary")
    .description("show layers, shapes, parameter counts and memory of a model")
    .argument("<source>", "run config or task config, a YAML file; or a run directory")
    .addOption(setOption())
    .option("--json", "one JSON object on standard output, and nothing else", false)
    .action(async (source: string, options: Omit<SummaryOptions, "source">) => {
      const { set, json } = options;
      onExitCode(await commands.summary({ source, set, json }));
    });

  program
    .command("diagnose")
    .description("show vanishing and exploding gradients, saturated gates and the size of updates")
    .argument("<source>", "run config or task config, a YAML file; or a run directory")
    .addOption(setOption())
    .option(
      "--steps <n>",
      "train in this process first, and measure before and after (default: diagnose.steps, else 0)",
      wholeNumber(0, 1_000_000),
    )
    .option("--compare <key=value,value>", "diagnose with each value of a key, side by side")
    .option("--svg <file>", "write the plots to a file")
    .option("--json", "one JSON object on standard output, and nothing else", false)
    .addHelpText("after", DIAGNOSE_HELP)
    .action(async (source: string, options: Omit<DiagnoseOptions, "source">) => {
      const { set, steps, compare, svg, json } = options;
      onExitCode(await commands.diagnose({ source, set, steps, compare, svg, json }));
    });

  program
    .command("verify")
    .description("recompute every checksum of a run, and prove that each sample counted once")
    .argument("<run>", "run directory")
    .option("--json", "one JSON object on standard output, and nothing else", false)
    .action(async (run: string, options: Omit<VerifyOptions, "run">) => {
      onExitCode(await commands.verify({ ...options, run }));
    });

  program
    .command("doctor")
    .description("say whether training can run on this machine, on which backend and how fast")
    .option("--run-dir <dir>", "where runs would be kept", "runs")
    .option("--json", "one JSON object on standard output, and nothing else", false)
    .action(async (options: DoctorOptions) => {
      const { runDir, json } = options;
      onExitCode(await commands.doctor({ runDir, json }));
    });

  return program;
}

type TranslateArguments = Omit<TranslateOptions, "run" | "numBest"> & { readonly nBest: number };
