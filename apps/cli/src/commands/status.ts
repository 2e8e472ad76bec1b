import { WireError } from "@ostinato/proto";
import { openRunDirectory } from "@ostinato/run";
import { systemClock } from "@ostinato/runtime";
import { DEFAULT_DEADLINE_MS, FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import type { StatusOptions } from "../command-line/index.js";
import { CliError, EXIT_CODES } from "../errors/index.js";
import {
  answerJson,
  answerText,
  askCoordinator,
  askTarget,
  findTarget,
  timeoutsJson,
  timeoutsText,
} from "../status/index.js";
import type { Answer, AskCoordinator, Target } from "../status/index.js";
import { clientSecurity } from "./arguments/index.js";
import type { Terminal } from "./terminal.js";

const DEFAULT_COLUMNS = 80;
/** To the terminal's corner; and away with what is left below the new picture. */
const HOME = "\u001b[H";
const CLEAR = "\u001b[2J";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** `ostinato status`: what a run is at, and what it waits for. */
export async function status(options: StatusOptions, terminal: Terminal): Promise<number> {
  const ask = asker(options);
  if (options.timeouts) return timeouts(options, terminal, ask);
  const target = await findTarget(options.target, { folder: terminal.folder, ask });
  const show = options.watch ? watch : once;
  return show(target, options, terminal, ask);
}

/** Asks with what the command line gave to show and to trust. */
function asker({ security: given, insecure }: StatusOptions): AskCoordinator {
  const security = clientSecurity({ ...given, insecure });
  return (address) => askCoordinator(address, security);
}

async function once(
  target: Target,
  { json }: StatusOptions,
  terminal: Terminal,
  ask: AskCoordinator,
): Promise<number> {
  const answer = await askTarget(target, ask);
  terminal.stdout.write(shown(answer, json, terminal));
  return exitCodeOf(answer);
}

/** Again and again, until the run is over or its coordinator gone. */
async function watch(
  target: Target,
  { json }: StatusOptions,
  terminal: Terminal,
  ask: AskCoordinator,
): Promise<number> {
  const { stdout } = terminal;
  const isLive = stdout.isTTY && !json;
  if (isLive) stdout.write(CLEAR);
  for (;;) {
    const answer = await askTarget(target, ask);
    const text = shown(answer, json, terminal);
    stdout.write(
      isLive ? `${HOME}${text.replaceAll("\n", `${CLEAR_LINE}\n`)}${CLEAR_BELOW}` : text,
    );
    if (answer.kind !== "reply" && answer.kind !== "silent") return exitCodeOf(answer);
    if (!isLive && !json) stdout.write("\n");
    await new Promise<void>((resolve) => {
      systemClock.setTimer(FIXED_TIMEOUTS.statusRefreshMs, resolve);
    });
  }
}

function shown(answer: Answer, json: boolean, { stdout }: Terminal): string {
  return json
    ? `${JSON.stringify(answerJson(answer))}\n`
    : answerText(answer, stdout.columns || DEFAULT_COLUMNS);
}

function exitCodeOf({ kind }: Answer): number {
  return kind === "reply" || kind === "completed" ? EXIT_CODES.done : EXIT_CODES.failed;
}

async function timeouts(
  { target, json }: StatusOptions,
  { stdout, folder }: Terminal,
  ask: AskCoordinator,
): Promise<number> {
  const { deadlineMs, whose } = await deadlineOf(target, folder, ask);
  stdout.write(
    json
      ? `${JSON.stringify(timeoutsJson(deadlineMs))}\n`
      : timeoutsText(deadlineMs, whose, stdout.columns || DEFAULT_COLUMNS),
  );
  return EXIT_CODES.done;
}

/** Of the run that is asked for; without one, and without any at work, the default. */
async function deadlineOf(
  given: string | undefined,
  folder: string,
  ask: AskCoordinator,
): Promise<{ readonly deadlineMs: number; readonly whose: string }> {
  let target: Target;
  try {
    target = await findTarget(given, { folder, ask });
  } catch (error) {
    if (given !== undefined || !(error instanceof CliError)) throw error;
    return { deadlineMs: DEFAULT_DEADLINE_MS, whose: "the default, as no run is at work here" };
  }
  if (target.kind === "run") {
    const { config } = await openRunDirectory(target.runDirectory);
    const deadlineMs = Math.round(1000 * config.cluster.deadlineSeconds);
    return { deadlineMs, whose: `of ${target.runDirectory}` };
  }
  const asked = await ask(target.address);
  if (asked.kind === "reply") {
    return { deadlineMs: asked.reply.deadlineMs, whose: `of run ${asked.reply.jobId}` };
  }
  const reason = asked.kind === "silent" ? `${target.address} does not answer` : asked.reason;
  throw new WireError("unavailable", reason);
}
