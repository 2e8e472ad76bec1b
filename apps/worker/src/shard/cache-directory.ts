/** Where a user's caches are, on whatever machine and as whatever user. */

import { join } from "node:path";

export interface CachePlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** May throw, as os.homedir does for a user id that the system does not know (in a container). */
  readonly homeDirectory: () => string;
  readonly temporaryDirectory: () => string;
}

/**
 * The folder for data sets: under `XDG_CACHE_HOME`, else under the home directory, else under the
 * folder for temporary files. An empty variable is none. What lies there is named by its digest and
 * verified when read, so that a folder which others may write to costs a fetch at worst.
 */
export function defaultCacheDirectory(places: CachePlaces): string {
  const { env, temporaryDirectory } = places;
  const caches = nonEmpty(env["XDG_CACHE_HOME"]) ?? homeCaches(places) ?? temporaryDirectory();
  return join(caches, "ostinato", "data");
}

function homeCaches(places: CachePlaces): string | undefined {
  let home: string | undefined;
  try {
    home = nonEmpty(places.homeDirectory());
  } catch {
    return undefined;
  }
  return home === undefined ? undefined : join(home, ".cache");
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
