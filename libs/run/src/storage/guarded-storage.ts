import type { Storage } from "./storage.js";

/**
 * A storage that changes nothing once its guard throws, such as that of a coordinator whose run directory
 * another one has taken over; reading goes on.
 */
export function guardStorage(storage: Storage, guard: () => void): Storage {
  const guarded = async <T>(action: () => Promise<T>): Promise<T> => {
    guard();
    return action();
  };
  return {
    read: (path) => storage.read(path),
    list: (path) => storage.list(path),
    exists: (path) => storage.exists(path),
    write: (path, bytes) => guarded(() => storage.write(path, bytes)),
    writeFolder: (path, files, options = {}) =>
      guarded(() =>
        storage.writeFolder(path, files, {
          beforeCommit: async () => {
            await options.beforeCommit?.();
            // Writing takes long enough for the guard to change its mind.
            guard();
          },
        }),
      ),
    remove: (path) => guarded(() => storage.remove(path)),
    createFolder: (path) => guarded(() => storage.createFolder(path)),
    sweep: (path) => guarded(() => storage.sweep(path)),
  };
}
