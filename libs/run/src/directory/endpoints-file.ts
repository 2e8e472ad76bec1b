/** endpoints.json: where the coordinator that works in a run directory can be reached. */

import { z } from "zod";

import { FileStorage } from "../storage/index.js";
import type { Storage } from "../storage/index.js";
import type { RunDirectory } from "./run-directory.js";
import { runPaths } from "./run-paths.js";

const endpointsFile = z.object({
  job: z.string(),
  incarnation: z.int().positive(),
  pid: z.int().positive(),
  host: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  /** Where workers connect. */
  address: z.string().min(1),
  /** Base URL of /metrics. */
  metricsAddress: z.string(),
});

/** What endpoints.json holds. */
export type CoordinatorEndpoints = z.output<typeof endpointsFile>;

/** @throws RunError 'storageFailed', 'incarnationLost' */
export async function writeEndpoints(
  { storage, paths }: Pick<RunDirectory, "storage" | "paths">,
  endpoints: CoordinatorEndpoints,
): Promise<void> {
  await storage.write(paths.endpoints, Buffer.from(`${JSON.stringify(endpoints, undefined, 2)}\n`));
}

/**
 * Of the coordinator that works in the directory, or of one that was killed there: whoever asks it finds
 * out. Undefined if there is no such file, or none that can be read: it is a hint, and nothing depends on it.
 */
export async function readEndpoints(
  root: string,
  storage: Storage = new FileStorage(),
): Promise<CoordinatorEndpoints | undefined> {
  const { endpoints } = runPaths(root);
  try {
    if (!(await storage.exists(endpoints))) return undefined;
    const bytes = await storage.read(endpoints);
    return endpointsFile.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
}

/** @throws RunError 'storageFailed', 'incarnationLost' */
export async function removeEndpoints({
  storage,
  paths,
}: Pick<RunDirectory, "storage" | "paths">): Promise<void> {
  await storage.remove(paths.endpoints);
}
