import { statSync, unwatchFile, watchFile } from "node:fs";
import { stat } from "node:fs/promises";

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
  #isDisposed = false;

  /** @throws {WireError} what `read` throws at first: there is nothing to keep then */
  constructor(options: WatchedFilesOptions<Value>) {
    this.#options = options;
    const before = options.paths.map((path) => stampOf(statSync(path, MISSING_IS_NONE)));
    this.#value = options.read();
    // By their attributes and by their paths: links that are turned to other files are seen too.
    for (const path of options.paths) {
      watchFile(
        path,
        { interval: FIXED_TIMEOUTS.credentialFilesMs, persistent: false },
        this.#reload,
      );
    }
    void this.#lookAgain(before);
  }

  get value(): Value {
    return this.#value;
  }

  /** Nothing is told any more, not of a look that is under way either. */
  dispose(): void {
    this.#isDisposed = true;
    for (const path of this.#options.paths) unwatchFile(path, this.#reload);
  }

  /** `watchFile` compares with a first look of its own, and does not see what changed between the reading and that. */
  async #lookAgain(before: readonly string[]): Promise<void> {
    // Its look was begun before the first of these, and so is over after it.
    for (const _ of [1, 2]) {
      for (const [index, path] of this.#options.paths.entries()) {
        const stamp = stampOf(await stat(path, { bigint: true }).catch(() => undefined));
        if (stamp === before[index]) continue;
        this.#reload();
        return;
      }
    }
  }

  readonly #reload = (): void => {
    if (this.#isDisposed) return;
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

const MISSING_IS_NONE = { bigint: true, throwIfNoEntry: false } as const;

interface Stats {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function stampOf(stats: Stats | undefined): string {
  if (stats === undefined) return "";
  const { ino, size, mtimeNs, ctimeNs } = stats;
  return [ino, size, mtimeNs, ctimeNs].join(" ");
}
