import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/** Whether a process listens on the Unix socket at `path`; false also if there is no such file. */
export async function isSocketAnswering(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // One whose queue of connections is full, or that may not be used by us, is somebody's.
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== "ECONNREFUSED" && code !== "ENOENT" && code !== "ENOTSOCK");
    });
  });
}

/**
 * A process that was killed leaves the file of its socket, on which nobody can listen again until it is
 * gone. What is no socket, or answers, stays.
 */
export async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || (await isSocketAnswering(path))) return;
  // That it cannot be removed, the attempt to listen says.
  await unlink(path).catch(() => undefined);
}
