import { closeSync, fsyncSync, openSync } from "node:fs";

/** Without it a crash of the machine can take a file's name, whatever is synced of its bytes. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
