import type { Storage, WriteOptions } from "./storage.js";

/**
 * A storage that changes nothing once its guard throws, such as that of a coordinator whose run another one
 * has taken over; reading goes on. The guard is asked before each change begins, and again before it shows:
 * writing takes long enough for the answer to be another one by then.
 */
export function guardStorage(storage: Storage, guard: () => void): Storage {
  const guarded = async <T>(action: () => Promise<T>): Promise<T> => {
    guard();
    return action();
  };
  const atCommit = ({ beforeCommit }: WriteOptions = {}): WriteOptions => ({
    beforeCommit: async () => {
      await beforeCommit?.();
      guard();
    },
  });
  return {
    read: (path) => storage.read(path),
    readParts: (path) => storage.readParts(path),
    list: (path) => storage.list(path),
    exists: (path) => storage.exists(path),
    write: (path, bytes, options) => guarded(() => storage.write(path, bytes, atCommit(options))),
    writeFolder: (path, files, options) =>
      guarded(() => storage.writeFolder(path, files, atCommit(options))),
    remove: (path) => guarded(() => storage.remove(path)),
    createFolder: (path) => guarded(() => storage.createFolder(path)),
    sweep: (path) => guarded(() => storage.sweep(path)),
  };
}
