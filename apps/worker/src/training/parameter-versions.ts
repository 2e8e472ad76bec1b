/**
 * Parameter versions, each with its running statistics, assembled from frames into shared memory. The two that came last are kept,
 * whatever their numbers: a final evaluation asks for the best version, which may be an old one.
 */

import type { CoordinatorMessage, TensorFrame } from "@ostinato/proto";
import { checkFrame, digestOfFrames, readFrameInto } from "@ostinato/proto";

import { WorkerError } from "../errors/index.js";

type Announcement = Extract<CoordinatorMessage, { kind: "parameters" }>;

/** A version that is read right now; its buffer stays as it is until `release`. */
export interface HeldVersion {
  readonly version: number;
  /** The flat parameters; shared memory, never written while held. */
  readonly values: Float32Array;
  /** The running statistics that belong to them; likewise. */
  readonly statistics: Float64Array;
  release(): void;
}

/** What a version is assembled in, and used again for another. */
interface Buffers {
  readonly values: Float32Array;
  readonly statistics: Float64Array;
}

interface StoredVersion {
  readonly version: number;
  readonly buffers: Buffers;
  numHolders: number;
  isKept: boolean;
}

interface Assembly {
  readonly announcement: Announcement;
  readonly buffers: Buffers;
  readonly crcs: number[];
  numValues: number;
  numStatistics: number;
}

const NUM_KEPT = 2;
/** Numbers remembered of versions that were kept and are not any more. */
const NUM_REMEMBERED = 8;

/**
 * Receives announcements and frames, in the order of the stream.
 *
 * A buffer is used again only when its version is neither kept nor held. Every breach of the
 * protocol (a gap, a frame of another transfer, a digest that differs) throws: what comes
 * after it on the same stream cannot be trusted.
 *
 * @throws WorkerError `protocol`; WireError `checksum`, `frameSize`, `frameTooLarge`, `frameOutOfBounds`
 */
export class ParameterVersions {
  readonly #size: number;
  readonly #numStatistics: number;
  readonly #kept: StoredVersion[] = [];
  readonly #free: Buffers[] = [];
  #evicted: readonly number[] = [];
  #assembly: Assembly | undefined;

  /**
   * @param size values in the flat parameter buffer
   * @param numStatistics values in the flat running statistics
   */
  constructor(size: number, numStatistics: number) {
    this.#size = size;
    this.#numStatistics = numStatistics;
  }

  /** The complete version that came last; undefined before the first. */
  get newest(): number | undefined {
    return this.#kept.at(-1)?.version;
  }

  /** Whether the version is here as a whole. */
  has(version: number): boolean {
    return this.#kept.some((candidate) => candidate.version === version);
  }

  /** Whether the version was here, and gave way to others. */
  wasEvicted(version: number): boolean {
    return this.#evicted.includes(version);
  }

  announce(announcement: Announcement): void {
    if (this.#assembly !== undefined) {
      throw new WorkerError(
        "protocol",
        `parameters ${announcement.version} announced before parameters ${this.#assembly.announcement.version} were complete`,
      );
    }
    const buffers = this.#free.pop() ?? this.#allocate();
    this.#assembly = { announcement, buffers, crcs: [], numValues: 0, numStatistics: 0 };
  }

  /** Where a frame's values may be written before it is checked: the buffer of the version that goes on with it. */
  destinationOf({
    transfer,
    firstValue,
  }: Pick<TensorFrame, "transfer" | "firstValue">): Float32Array | undefined {
    const assembly = this.#assembly;
    const goesOn =
      assembly?.announcement.transfer === transfer && assembly.numValues === firstValue;
    return goesOn ? assembly.buffers.values : undefined;
  }

  /** @returns the version that this frame completes, if it does */
  receive(frame: TensorFrame): number | undefined {
    const assembly = this.#assembly;
    if (assembly?.announcement.transfer !== frame.transfer) {
      throw new WorkerError(
        "protocol",
        `parameter frame of transfer ${frame.transfer}, which was not announced`,
      );
    }
    const counter = frame.transferKind === "statistics" ? "numStatistics" : "numValues";
    if (frame.firstValue !== assembly[counter]) {
      throw new WorkerError(
        "protocol",
        `${frame.transferKind} frame begins at value ${frame.firstValue}, not ${assembly[counter]}`,
      );
    }
    checkFrame(frame);
    const { values, statistics } = assembly.buffers;
    assembly[counter] += readFrameInto(
      frame,
      frame.transferKind === "statistics" ? statistics : values,
    );
    assembly.crcs.push(frame.crc32);
    if (assembly.crcs.length < assembly.announcement.numFrames) return undefined;
    this.#assembly = undefined;
    this.#finish(assembly);
    return assembly.announcement.version;
  }

  /** The version for reading; undefined when it is not (or no longer) here. */
  acquire(version: number): HeldVersion | undefined {
    const stored = this.#kept.find((candidate) => candidate.version === version);
    if (stored === undefined) return undefined;
    stored.numHolders += 1;
    let isReleased = false;
    return {
      version,
      ...stored.buffers,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        stored.numHolders -= 1;
        this.#recycle(stored);
      },
    };
  }

  #finish(assembly: Assembly): void {
    const { version, digest } = assembly.announcement;
    const { numValues, numStatistics } = assembly;
    if (numValues !== this.#size || numStatistics !== this.#numStatistics) {
      throw new WorkerError(
        "protocol",
        `parameters ${version} have ${numValues} values and ${numStatistics} statistics, the model ` +
          `has ${this.#size} and ${this.#numStatistics}`,
      );
    }
    if (Buffer.compare(digestOfFrames(assembly.crcs), digest) !== 0) {
      throw new WorkerError("protocol", `parameters ${version} do not have the announced digest`);
    }
    const same = this.#kept.findIndex((candidate) => candidate.version === version);
    const evicted = same >= 0 ? this.#kept.splice(same, 1) : [];
    this.#kept.push({ version, buffers: assembly.buffers, numHolders: 0, isKept: true });
    evicted.push(...this.#kept.splice(0, Math.max(0, this.#kept.length - NUM_KEPT)));
    const gone = evicted.filter((stored) => stored.version !== version);
    this.#evicted = [
      ...this.#evicted.filter((number) => number !== version),
      ...gone.map((stored) => stored.version),
    ].slice(-NUM_REMEMBERED);
    for (const stored of evicted) {
      stored.isKept = false;
      this.#recycle(stored);
    }
  }

  #recycle(stored: StoredVersion): void {
    if (!stored.isKept && stored.numHolders === 0) this.#free.push(stored.buffers);
  }

  #allocate(): Buffers {
    const { BYTES_PER_ELEMENT: floatBytes } = Float32Array;
    const { BYTES_PER_ELEMENT: doubleBytes } = Float64Array;
    return {
      values: new Float32Array(new SharedArrayBuffer(this.#size * floatBytes)),
      statistics: new Float64Array(new SharedArrayBuffer(this.#numStatistics * doubleBytes)),
    };
  }
}
