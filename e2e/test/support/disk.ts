/** Disks that fail on request, for processes that tests start. */

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { StartOptions } from "./processes.js";
import { waitFor } from "./waiting.js";

/** See disk-faults.mjs. */
export interface DiskRule {
  readonly calls: readonly string[];
  /** A regular expression. */
  readonly path: string;
  readonly error?: string;
  readonly hold?: boolean;
  readonly kill?: boolean;
  readonly bytes?: number;
  readonly times?: number;
}

const preload = pathToFileURL(join(import.meta.dirname, "disk-faults.mjs")).href;

/** A disk with faults that can be switched on and off while processes use it. */
export class FaultyDisk {
  readonly #switch: string;
  readonly #hits: string;
  readonly #rules: readonly DiskRule[];

  /** @param name in a folder that is there: of files of this disk's alone */
  constructor(name: string, rules: readonly DiskRule[]) {
    this.#switch = `${name}.fails`;
    this.#hits = `${name}.hits`;
    this.#rules = rules;
  }

  /** For the processes that are to use it. */
  get options(): StartOptions {
    const places = { while: this.#switch, hits: this.#hits };
    const rules = this.#rules.map((rule) => ({ ...rule, ...places }));
    const { NODE_OPTIONS = "" } = process.env;
    return {
      env: {
        OSTINATO_DISK_FAULTS: JSON.stringify(rules),
        NODE_OPTIONS: `${NODE_OPTIONS} --import=${preload}`.trim(),
      },
    };
  }

  fail(): this {
    writeFileSync(this.#switch, "");
    return this;
  }

  heal(): void {
    rmSync(this.#switch, { force: true });
  }

  /** The calls that faults applied to so far. */
  get hits(): readonly string[] {
    if (!existsSync(this.#hits)) return [];
    return readFileSync(this.#hits, "utf8").trimEnd().split("\n");
  }

  /** Resolves when so many calls have met a fault. */
  async hit(numCalls = 1): Promise<void> {
    await waitFor("a fault of the disk", () => this.hits.length >= numCalls || undefined);
  }
}
