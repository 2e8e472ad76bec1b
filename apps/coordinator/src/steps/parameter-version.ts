/** One immutable set of parameters, ready to be sent. */

import type { CoordinatorMessage, TensorFrame, VersionValues } from "@ostinato/proto";
import type { VersionSummary } from "./arithmetic-operations.js";

export interface ParameterVersionOptions {
  /** What workers know it by. */
  readonly version: number;
  /** The steps before it. */
  readonly step: number;
  readonly values: VersionValues;
  readonly summary: VersionSummary;
}

/**
 * The parameters after `step` steps, with the running statistics that belong to them. The buffer of the
 * parameters is given back to the pool when the last holder (the current step, a send, a checkpoint being
 * written) has let go.
 */
export class ParameterVersion implements VersionValues {
  readonly version: number;
  readonly step: number;
  readonly parameters: Float32Array;
  readonly statistics: Float64Array;
  readonly summary: VersionSummary;
  readonly #release: (buffer: Float32Array) => void;
  #holders = 1;

  constructor(options: ParameterVersionOptions, release: (buffer: Float32Array) => void) {
    this.version = options.version;
    this.step = options.step;
    this.parameters = options.values.parameters;
    this.statistics = options.values.statistics;
    this.summary = options.summary;
    this.#release = release;
  }

  get digestHex(): string {
    return Buffer.from(this.summary.digest).toString("hex");
  }

  hold(): this {
    if (this.#holders === 0) throw new RangeError(`version ${this.version} was given back`);
    this.#holders += 1;
    return this;
  }

  letGo(): void {
    if (this.#holders === 0) throw new RangeError(`version ${this.version} was given back`);
    this.#holders -= 1;
    if (this.#holders === 0) this.#release(this.parameters);
  }

  /**
   * The announcement and its frames, as views on the values.
   *
   * @param inMemory the receiver reads what is in shared memory there; it must be done with it before
   *   this version is let go
   */
  *messages(transfer: number, inMemory: boolean): Generator<CoordinatorMessage> {
    const { frames, digest, segment } = this.summary;
    yield { kind: "parameters", transfer, version: this.version, numFrames: frames.length, digest };
    for (const { part, firstValue, numBytes, crc32 } of frames) {
      const { buffer, byteOffset, BYTES_PER_ELEMENT } = this[part];
      if (inMemory && segment > 0 && part === "parameters") {
        const numValues = numBytes / BYTES_PER_ELEMENT;
        yield { kind: "segmentFrame", frame: { transfer, segment, firstValue, numValues, crc32 } };
        continue;
      }
      const frame: TensorFrame = {
        transfer,
        transferKind: part,
        leaf: 0,
        firstValue,
        payload: new Uint8Array(buffer, byteOffset + firstValue * BYTES_PER_ELEMENT, numBytes),
        crc32,
      };
      yield { kind: "frame", frame };
    }
  }
}
