/** The folder of the Unix socket between a local cluster's processes: private, and gone with the cluster. */

import { mkdtemp, readdir, rmdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import { isSocketAnswering } from "@ostinato/proto";
import { isProcessAlive } from "@ostinato/run";

/** Short, as the whole path of a socket has 103 bytes at most. */
const SOCKET = "coordinator.sock";
const NAME = /^ostinato-(?<pid>\d+)-[A-Za-z0-9]{6}$/;

export interface SocketDirectory {
  /** Path of the socket, on which nobody listens yet. */
  readonly socket: string;
  /** Removes folder and socket; they may be gone already. */
  remove(): Promise<void>;
}

/**
 * Makes a folder that only this user may enter, and removes those that clusters left whose processes were
 * killed.
 *
 * @param base such as the machine's folder for temporary files
 * @throws {Error} of the file system, when it can't be made
 */
export async function createSocketDirectory(base: string): Promise<SocketDirectory> {
  await removeLeft(base);
  // Of mode 0700, says mkdtemp(3).
  const folder = await mkdtemp(join(base, `ostinato-${process.pid}-`));
  return { socket: join(folder, SOCKET), remove: () => remove(folder) };
}

async function removeLeft(base: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  for (const name of names) {
    const pid = NAME.exec(name)?.groups?.["pid"];
    if (pid === undefined || isProcessAlive(Number(pid), process)) continue;
    const folder = join(base, name);
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) continue;
    // Process ids mean nothing beyond a container, whose processes may share this folder.
    if (!(await isSocketAnswering(join(folder, SOCKET)))) await remove(folder);
  }
}

/** Anything else in the folder is not ours: it stays, and the folder with it. */
async function remove(folder: string): Promise<void> {
  await unlink(join(folder, SOCKET)).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
}
