import { unwatchFile, watchFile } from "node:fs";

import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import { fromStatus } from "../errors/index.js";

export interface WatchedFilesOptions<Value> {
  readonly paths: readonly string[];
  /** Reads all of them, or throws a WireError that says what is wrong. */
  readonly read: () => Value;
  /** Told of what they say after a change. */
  readonly onReloaded: (value: Value) => void;
  /** Told, in one line, why a change is not taken; what they said before still holds. */
  readonly onRefused: (reason: string) => void;
}

/**
 * What files say, read again when one of them changes. Several are seldom replaced at one instant: between
 * a new certificate and its new key the two do not match, which is refused, and mended by the second change.
 */
export class WatchedFiles<Value> {
  readonly #options: WatchedFilesOptions<Value>;
  #value: Value;

  /** @throws {WireError} what `read` throws at first: there is nothing to keep then */
  constructor(options: WatchedFilesOptions<Value>) {
    this.#options = options;
    this.#value = options.read();
    // By their attributes and by their paths: links that are turned to other files are seen too.
    for (const path of options.paths) {
      watchFile(
        path,
        { interval: FIXED_TIMEOUTS.credentialFilesMs, persistent: false },
        this.#reload,
      );
    }
  }

  get value(): Value {
    return this.#value;
  }

  dispose(): void {
    for (const path of this.#options.paths) unwatchFile(path, this.#reload);
  }

  readonly #reload = (): void => {
    const { read, onReloaded, onRefused } = this.#options;
    try {
      this.#value = read();
    } catch (error) {
      onRefused(fromStatus(error).message);
      return;
    }
    onReloaded(this.#value);
  };
}
