import { fileURLToPath } from "node:url";

/** Where a program's JSON goes unless it is told otherwise. */
export function resultsFile(prefix: string, startedAt: string): string {
  const name = `${prefix}${startedAt.replace(/[:.]/g, "-")}.json`;
  return fileURLToPath(new URL(`../../results/${name}`, import.meta.url));
}
