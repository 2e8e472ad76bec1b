// One build at a time: a folder that holds one file, named for the process that builds.
import { mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 100;

/**
 * Waits until no other process builds. The lock of a process that is gone is taken over.
 *
 * @param {string} parent folder that the lock is in
 * @param {() => void} onWait called once if there is a build to wait for
 * @returns {Promise<() => void>} gives the lock back
 */
export async function claimBuild(parent, onWait) {
  const lock = join(parent, "ostinato-build.lock");
  const own = `${lock}-${process.pid}`;
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, String(process.pid)), "");
  try {
    for (let told = false; !tryRename(own, lock);) {
      const holders = holdersOf(lock);
      for (const pid of holders.filter(isGone)) rmSync(join(lock, pid), { force: true });
      if (holders.every(isGone)) continue;
      if (!told) onWait();
      told = true;
      await sleep(POLL_MS);
    }
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    throw error;
  }
  return () => {
    rmSync(join(lock, String(process.pid)), { force: true });
    try {
      rmdirSync(lock);
    } catch {
      // The next one has it already.
    }
  };
}

/** A folder takes the place of an empty one, and of none that holds a file: there is no moment between. */
function tryRename(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return false;
    throw error;
  }
}

function holdersOf(lock) {
  try {
    return readdirSync(lock);
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

/** @param {string} pid */
function isGone(pid) {
  // Our own id is that of a process before us, as in a container that is started again.
  if (Number(pid) === process.pid) return true;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code !== "EPERM";
  }
}
