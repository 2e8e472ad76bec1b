/** Whom to ask: an address, a run directory, or the newest run that a coordinator works on. */

import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";

import { parseEndpoint } from "@ostinato/proto";
import type { CoordinatorEndpoints } from "@ostinato/run";
import { readEndpoints } from "@ostinato/run";

import { CliError } from "../errors/index.js";
import type { AskCoordinator } from "./answer.js";

export type Target =
  | { readonly kind: "address"; readonly address: string }
  | {
      readonly kind: "run";
      readonly runDirectory: string;
      /** Where its coordinator says that it is, or said so before it was killed. */
      readonly endpoints: CoordinatorEndpoints | undefined;
    };

export interface TargetModules {
  /** The folder that the command was given in; runs are in `runs` below it. */
  readonly folder: string;
  readonly ask: AskCoordinator;
}

const RUNS = "runs";

/**
 * @param given an address or a run directory; undefined: the newest run whose coordinator answers, or takes a
 *   connection and is silent
 * @throws {CliError} `usage` if there is no such run; {WireError} `invalidAddress`
 */
export async function findTarget(
  given: string | undefined,
  { folder, ask }: TargetModules,
): Promise<Target> {
  if (given === undefined) return newestAtWork(folder, ask);
  const runDirectory = resolve(folder, given);
  if (await isFolder(runDirectory)) {
    return { kind: "run", runDirectory: given, endpoints: await readEndpoints(runDirectory) };
  }
  if (!given.includes(":")) {
    throw new CliError(
      "usage",
      `${given} is no folder and no address; name a run directory, HOST:PORT or unix:PATH`,
    );
  }
  parseEndpoint(given);
  return { kind: "address", address: given };
}

async function newestAtWork(folder: string, ask: AskCoordinator): Promise<Target> {
  const runs = resolve(folder, RUNS);
  const names = await readdir(runs).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => ({ name, endpoints: await readEndpoints(join(runs, name)) })),
  );
  const announced = found
    .flatMap(({ name, endpoints }) => (endpoints === undefined ? [] : [{ name, endpoints }]))
    .sort((a, b) => b.endpoints.startedAt.localeCompare(a.endpoints.startedAt));
  for (const { name, endpoints } of announced) {
    const asked = await ask(endpoints.address);
    const isTheirs = asked.kind === "reply" && asked.reply.jobId === endpoints.job;
    if (isTheirs || asked.kind === "silent") {
      return { kind: "run", runDirectory: join(RUNS, name), endpoints };
    }
  }
  throw new CliError(
    "usage",
    `no coordinator works on a run in ${RUNS}/; name a run directory or an address, HOST:PORT`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
