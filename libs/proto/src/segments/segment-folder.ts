import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { onOneLine, WireError } from "../errors/index.js";

/** Where Linux keeps files in memory. Elsewhere there is no such folder, and nothing is shared. */
export const SHARED_MEMORY = "/dev/shm";

const NAME = /^ostinato-(?<pid>\d+)-[0-9a-f]{32}$/;

/** A private folder of segments: files in memory that processes of one user on one machine share. */
export interface SegmentFolder {
  /** Random: who finds a folder of this name looks at the memory of the same machine. */
  readonly name: string;
  readonly path: string;
}

/** Whose folder it is: a process, as Node has it. */
export type SegmentOwner = Pick<NodeJS.Process, "pid" | "getuid">;

/**
 * Makes an empty folder that only this user may enter.
 *
 * @param base a folder in memory
 * @throws {WireError} `sharedMemory`
 */
export function createSegmentFolder(
  owner: SegmentOwner,
  base: string = SHARED_MEMORY,
): SegmentFolder {
  const name = `ostinato-${owner.pid}-${randomBytes(16).toString("hex")}`;
  const path = join(base, name);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw new WireError("sharedMemory", onOneLine(`no folder in memory: ${String(error)}`));
  }
  return { name, path };
}

/**
 * The folder that a coordinator named, if this process sees it as well: on the same machine, in the same
 * container, of the same user. The name comes from the wire, so that it may be anything.
 */
export function findSegmentFolder(
  name: string,
  owner: SegmentOwner,
  base: string = SHARED_MEMORY,
): SegmentFolder | undefined {
  if (!NAME.test(name)) return undefined;
  const path = join(base, name);
  return isOwnFolder(path, owner) ? { name, path } : undefined;
}

/** Removes the folder and every segment in it; it may be gone already. */
export function removeSegmentFolder({ path }: SegmentFolder): void {
  rmSync(path, { recursive: true, force: true });
}

/**
 * Removes folders of this user whose processes were killed, before the owner makes its own: one with the owner's
 * id is of an earlier process of that id, as every process of a container may have it. Process ids mean nothing beyond a
 * container: one whose folder is taken away goes on without shared memory.
 *
 * @param isAlive whether a process has this id
 */
export function removeLeftSegmentFolders(
  isAlive: (pid: number) => boolean,
  owner: SegmentOwner,
  base: string = SHARED_MEMORY,
): void {
  let names: string[];
  try {
    names = readdirSync(base);
  } catch {
    return; // no such folder here
  }
  for (const name of names) {
    const pid = NAME.exec(name)?.groups?.["pid"];
    if (pid === undefined || (Number(pid) !== owner.pid && isAlive(Number(pid)))) continue;
    const path = join(base, name);
    try {
      if (isOwnFolder(path, owner)) removeSegmentFolder({ name, path });
    } catch {
      // Somebody still writes there, or removes it as well: the next one has another try.
    }
  }
}

function isOwnFolder(path: string, owner: SegmentOwner): boolean {
  try {
    const found = lstatSync(path);
    return found.isDirectory() && found.uid === owner.getuid?.();
  } catch {
    return false;
  }
}
