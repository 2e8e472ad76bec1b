/** One immutable set of parameters, ready to be sent. */

import type { CoordinatorMessage, TensorFrame } from "@ostinato/proto";
import type { VersionSummary } from "./arithmetic-operations.js";

/**
 * The parameters after `version` steps. Its buffer is given back to the pool when the last holder
 * (the current step, a send, a checkpoint being written) has let go.
 */
export class ParameterVersion {
  readonly version: number;
  readonly parameters: Float32Array;
  readonly summary: VersionSummary;
  readonly #release: (buffer: Float32Array) => void;
  #holders = 1;

  constructor(
    version: number,
    parameters: Float32Array,
    summary: VersionSummary,
    release: (buffer: Float32Array) => void,
  ) {
    this.version = version;
    this.parameters = parameters;
    this.summary = summary;
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

  /** The announcement and its frames, as views on the parameters. */
  *messages(transfer: number): Generator<CoordinatorMessage> {
    const { frames, digest } = this.summary;
    yield { kind: "parameters", transfer, version: this.version, numFrames: frames.length, digest };
    for (const { firstValue, numValues, crc32 } of frames) {
      const frame: TensorFrame = {
        transfer,
        transferKind: "parameters",
        leaf: 0,
        firstValue,
        payload: new Uint8Array(
          this.parameters.buffer,
          this.parameters.byteOffset + firstValue * Float32Array.BYTES_PER_ELEMENT,
          numValues * Float32Array.BYTES_PER_ELEMENT,
        ),
        crc32,
      };
      yield { kind: "frame", frame };
    }
  }
}
