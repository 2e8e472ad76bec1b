/** The commands of a cluster's processes, and the one that asks after them. */

import type { Command } from "commander";
import { Option } from "commander";

import { positiveNumber, wholeNumber } from "./arguments.js";
import type {
  Commands,
  CoordinatorCommandOptions,
  StatusOptions,
  WorkerCommandOptions,
} from "./options.js";
import type { ClientSecurityOptions, ServerSecurityOptions } from "./security-options.js";
import {
  addClientSecurity,
  addServerSecurity,
  clientSecurityOptions,
  serverSecurityOptions,
} from "./security-options.js";
import { CONFIG, requireRun, setOption } from "./shared-options.js";

export interface ClusterCommandModules {
  readonly commands: Pick<Commands, "coordinator" | "worker" | "status">;
  /** Given the exit code of the command that ran. */
  readonly onExitCode: (exitCode: number) => void;
}

type RequiredWorkerOptions = Pick<WorkerCommandOptions, "coordinator" | "deadline" | "insecure">;
type StatusArguments = Omit<StatusOptions, "target" | "security"> & Partial<ClientSecurityOptions>;

/** Adds `coordinator`, `worker` and `status`. */
export function addClusterCommands(
  program: Command,
  { commands, onExitCode }: ClusterCommandModules,
): void {
  addServerSecurity(
    program
      .command("coordinator")
      .description("own the parameters of one run and wait for workers")
      .argument("[config]", CONFIG)
      .requiredOption("--listen <address>", "where workers connect, host:port or unix:path")
      .addOption(new Option("--local-socket <path>").hideHelp())
      .requiredOption("--http <host:port>", "where /metrics, /healthz and /readyz are")
      .option("--run-dir <dir>", "run directory (default: a new one under runs/)")
      .addOption(setOption())
      .option("--resume", "go on from the newest checkpoint of --run-dir", false),
  )
    .option("--insecure", "listen beyond loopback without encryption or tokens", false)
    .action(
      async (
        config: CoordinatorCommandOptions["config"],
        options: Omit<CoordinatorCommandOptions, "config" | "security"> &
          Partial<ServerSecurityOptions>,
        command: Command,
      ) => {
        requireRun({ ...options, config }, command);
        const { listen, localSocket, http, runDir, set, resume, insecure } = options;
        const security = serverSecurityOptions(options);
        const where = { listen, localSocket, http, insecure, security };
        onExitCode(await commands.coordinator({ config, set, runDir, resume, ...where }));
      },
    );

  addClientSecurity(
    program
      .command("worker")
      .description("compute gradients for a coordinator")
      .requiredOption(
        "--coordinator <address>",
        "the coordinator's --listen, host:port or unix:path",
      )
      .addOption(
        new Option("--backend <name>", "the only backend to offer").choices([
          "native",
          "wasm",
          "cpu",
          "native-bfloat16",
        ]),
      )
      .option(
        "--threads <n>",
        "threads that compute, where the backend has several (default: one a processor)",
        wholeNumber(1, 256),
      )
      .option("--http <host:port>", "where /metrics, /healthz and /readyz are (default: nowhere)")
      .option(
        "--deadline <seconds>",
        "how long to try a coordinator in vain",
        positiveNumber(86_400),
        30,
      ),
  )
    .option("--insecure", "let --http be reached, and a token sent, unencrypted", false)
    .option("--cache-dir <dir>", "where fetched data sets are kept")
    .addOption(new Option("--name <name>").hideHelp())
    .addOption(new Option("--log-file <file>").hideHelp())
    .action(
      async (
        options: Partial<WorkerCommandOptions> &
          RequiredWorkerOptions &
          Partial<ClientSecurityOptions>,
      ) => {
        const { coordinator, backend, threads, http, insecure, deadline } = options;
        const { cacheDir, name, logFile } = options;
        onExitCode(
          await commands.worker({
            ...{ coordinator, backend, threads, http, insecure, deadline, cacheDir, name, logFile },
            security: clientSecurityOptions(options),
          }),
        );
      },
    );

  addClientSecurity(program.command("status"))
    .description(
      "say what a run is at, who works on it, and what a step that stands still waits for",
    )
    .argument(
      "[target]",
      "address of a coordinator, or run directory (default: the newest run in runs/ at work)",
    )
    .option("--watch", "show it anew each second until the run is over", false)
    .option("--timeouts", "list every time-out, what it derives from and what it does", false)
    .option("--json", "one JSON object a line on standard output, and nothing else", false)
    .option("--insecure", "let a token be sent unencrypted", false)
    .action(async (target: string | undefined, options: StatusArguments) => {
      const { json, watch, timeouts, insecure } = options;
      const security = clientSecurityOptions(options);
      onExitCode(await commands.status({ target, json, watch, timeouts, insecure, security }));
    });
}
