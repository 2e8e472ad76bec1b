import { existsSync, readFileSync } from "node:fs";

/** Ids of the faults that agents of this run have set off so far. */
export function readFirings(
  path: string,
): readonly { readonly faultId: number; readonly text: string }[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly faultId: number; readonly text: string });
}
