/** What the codec of every kind of data set must do with bytes, right ones and wrong ones. */
import fc from "fast-check";
import { expect } from "vitest";

import { DataError } from "../../src/data-error.js";

interface Codec<D> {
  readonly encode: (dataset: D) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => D;
}

interface CodecChecks<D> {
  /** The bytes must be refused as `corruptDataset`, in one line, which is returned. */
  readonly refused: (bytes: Uint8Array) => string;
  /** Every prefix of the bytes is refused, and what has more bytes at its end. */
  readonly expectNoOtherLength: (bytes: Uint8Array) => void;
  /** A data set comes back from its bytes, wherever in a buffer they begin; `parts` are compared. */
  readonly expectRoundTrips: (datasets: fc.Arbitrary<D>, parts: (dataset: D) => unknown) => void;
  /** Changed bytes are either refused or another data set, whose encoding they are. */
  readonly expectMutationsSeen: (datasets: fc.Arbitrary<D>) => void;
}

/** The header and what is before it, assembled by hand from the format's description. */
export function assembledStart(
  header: string,
  { magic = "ostidata", version = 1, headerBytes = Buffer.byteLength(header) } = {},
): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(version, 0);
  numbers.writeUInt32LE(headerBytes, 4);
  return Buffer.concat([Buffer.from(magic), numbers, Buffer.from(header)]);
}

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  remove: fc.nat(5),
  insert: fc.uint8Array({ maxLength: 5 }),
});
const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });

export function codecChecks<D extends { readonly digest: string }>({
  encode,
  decode,
}: Codec<D>): CodecChecks<D> {
  const refused = (bytes: Uint8Array): string => {
    try {
      decode(bytes);
    } catch (error) {
      return corruption(error);
    }
    throw new Error("the bytes were accepted");
  };
  return {
    refused,
    expectNoOtherLength(bytes) {
      for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length));
      for (const further of [[0], [1, 0], [0, 0, 0, 0]]) {
        refused(Buffer.concat([bytes, Buffer.from(further)]));
      }
    },
    expectRoundTrips(datasets, parts) {
      fc.assert(
        fc.property(datasets, fc.nat(3), (dataset, shift) => {
          const bytes = encode(dataset);
          const shifted = new Uint8Array(shift + bytes.length).subarray(shift);
          shifted.set(bytes);
          expect(parts(decode(shifted))).toEqual(parts(dataset));
        }),
      );
    },
    expectMutationsSeen(datasets) {
      const mutatedBytes = fc.property(datasets, mutations, (dataset, changes) => {
        const original = Buffer.from(encode(dataset));
        const bytes = changes.reduce(mutated, original);
        fc.pre(!bytes.equals(original));
        let decoded: D;
        try {
          decoded = decode(bytes);
        } catch (error) {
          corruption(error);
          return;
        }
        expect(decoded.digest).not.toBe(dataset.digest);
        expect(Buffer.from(encode(decoded)).equals(bytes)).toBe(true);
      });
      fc.assert(mutatedBytes, { numRuns: 1000 });
    },
  };
}

/** The message of the one error that a codec may throw. */
function corruption(error: unknown): string {
  if (!(error instanceof DataError)) throw error;
  expect(error.code).toBe("corruptDataset");
  expect(error.message).not.toContain("\n");
  return error.message;
}

interface Mutation {
  /** As a share of the bytes. */
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

function mutated(bytes: Buffer, { at, remove, insert }: Mutation): Buffer {
  const offset = Math.floor(at * bytes.length);
  const rest = bytes.subarray(Math.min(bytes.length, offset + remove));
  return Buffer.concat([bytes.subarray(0, offset), insert, rest]);
}
