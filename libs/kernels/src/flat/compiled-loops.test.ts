import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";

import { reasonForSkipping } from "../../test/support/addon.js";
import { loadAddon } from "../native-addon/index.js";
import { compiledLoops, switchCompiledLoopsOff } from "./compiled-loops.js";
import type { CompiledLoops } from "./compiled-loops.js";
import { roundToBfloat16 } from "./bfloat16.js";
import { firstNonFinite } from "./finite.js";
import { columnSumsOfSquares, sumOfSquares } from "./norm.js";
import { addScaled, clampValues, scaleColumns, scaleValues } from "./scale.js";
import { treeAdd } from "./tree-sum.js";
import {
  adagradUpdate,
  adamUpdate,
  amsgradUpdate,
  averagedSgdUpdate,
  decayGradient,
  lambUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "./updates/index.js";
import type { AdamUpdate, RmspropUpdate } from "./updates/index.js";

/** The bits of the values, with one pattern for every NaN: which one a NaN has is the processor's. */
function bitsOf(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.slice().buffer);
  for (const [i, value] of values.entries()) if (Number.isNaN(value)) bits[i] = 0x7fc00000;
  return bits;
}

const SPECIAL = [
  ...[0, -0, 1, -1, 2 ** -149, -(2 ** -149), 2 ** -126, 2 ** -130, 1 + 2 ** -23],
  ...[(2 - 2 ** -23) * 2 ** 127, -(2 ** 127), 1e30, -1e-30, Infinity, -Infinity, NaN],
];

/** Numbers from 0 to below 1 (mulberry32): a seed is quicker to generate than thousands of values. */
function uniformsOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Values {
  readonly seed: number;
  readonly length: number;
  /** Share of values that are special: of most, of some, of none. */
  readonly special: number;
  readonly offset: number;
  readonly isShared: boolean;
}

/** An array somewhere in a larger one, in shared memory or not. */
function floatsOf(values: Values, salt: number, isMoment = false): Float32Array {
  const { length, offset, isShared, special } = values;
  const uniform = uniformsOf(values.seed + salt * 7919);
  const numBytes = (length + offset) * Float32Array.BYTES_PER_ELEMENT;
  const buffer = isShared ? new SharedArrayBuffer(numBytes) : new ArrayBuffer(numBytes);
  const floats = new Float32Array(buffer).subarray(offset);
  for (let i = 0; i < length; i++) {
    const value =
      uniform() < special
        ? SPECIAL[Math.floor(uniform() * SPECIAL.length)]!
        : (uniform() - 0.5) * 2 ** Math.floor(uniform() * 40 - 20);
    // No optimizer makes a mean of squares less than 0, or -0.
    floats[i] = isMoment ? Math.abs(value) : value;
  }
  return floats;
}

const anyValues = fc.record({
  seed: fc.integer(),
  length: fc.oneof(fc.nat(40), fc.nat(5000)),
  special: fc.constantFrom(0, 0, 0.001, 0.5),
  offset: fc.nat(5),
  isShared: fc.boolean(),
});

const anyFactor = fc.oneof(
  fc.double({ min: -2, max: 2, noNaN: true }),
  fc.constantFrom(0, 1, 1e-8, 1e30, 1e-45, 0.1),
);
const anyShare = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.9, 1));
const anyStep = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 }));

const anyScalars = fc.record({
  gradientScale: anyFactor,
  learningRate: anyFactor,
  share: anyShare,
  otherShare: anyShare,
  epsilon: fc.constantFrom(0, 1e-8, 1e-45, 0.5),
  decay: fc.constantFrom(0, 0, 0.01, 1e-45),
  maxNorm: fc.constantFrom(Infinity, 1, 1e-30),
  step: anyStep,
  flag: fc.boolean(),
});

interface Arrays {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly out: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  readonly largest: Float32Array;
}

type Scalars = typeof anyScalars extends fc.Arbitrary<infer T> ? T : never;

const adamOf = ({ mean, square, ...arrays }: Arrays, scalars: Scalars): AdamUpdate => ({
  ...arrays,
  ...scalars,
  ...{ firstMoment: mean, secondMoment: square, beta1: scalars.share, beta2: scalars.otherShare },
});

const rmspropOf = (arrays: Arrays, scalars: Scalars): RmspropUpdate => ({
  ...arrays,
  ...scalars,
  ...{ squareAverage: arrays.square, decay: scalars.share },
  gradientAverage: scalars.flag ? arrays.mean : undefined,
});

const UPDATES: Readonly<Record<string, (arrays: Arrays, scalars: Scalars) => number | undefined>> =
  {
    decayGradient: (arrays, scalars) => {
      decayGradient({ ...arrays, ...scalars, weightDecay: scalars.decay });
      return undefined;
    },
    sgdUpdate: (arrays, scalars) => sgdUpdate({ ...arrays, ...scalars }),
    momentumUpdate: (arrays, scalars) => {
      const shares = { momentum: scalars.share, dampening: scalars.otherShare };
      const buffer = { momentumBuffer: arrays.mean, nesterov: scalars.flag };
      return momentumUpdate({ ...arrays, ...scalars, ...shares, ...buffer });
    },
    averagedSgdUpdate: (arrays, scalars) => {
      const shares = { shrinkage: scalars.share, averagingRate: scalars.otherShare };
      return averagedSgdUpdate({ ...arrays, ...scalars, ...shares, average: arrays.mean });
    },
    adagradUpdate: (arrays, scalars) =>
      adagradUpdate({ ...arrays, ...scalars, squareSum: arrays.square }),
    rmspropUpdate: (arrays, scalars) => rmspropUpdate(rmspropOf(arrays, scalars)),
    rmspropMomentumUpdate: (arrays, scalars) => {
      const buffer = { momentumBuffer: arrays.largest, momentum: scalars.otherShare };
      return rmspropMomentumUpdate({ ...rmspropOf(arrays, scalars), ...buffer });
    },
    adamUpdate: (arrays, scalars) => adamUpdate(adamOf(arrays, scalars)),
    amsgradUpdate: (arrays, scalars) =>
      amsgradUpdate({ ...adamOf(arrays, scalars), maxSecondMoment: arrays.largest }),
    lambUpdate: (arrays, scalars) => {
      // Never in place.
      const out = arrays.out === arrays.parameters ? arrays.largest : arrays.out;
      const { decay: weightDecay, maxNorm: maxWeightNorm } = scalars;
      return lambUpdate({ ...adamOf(arrays, scalars), out, weightDecay, maxWeightNorm });
    },
  };

const selectThreads = (count: number): void => {
  if (reasonForSkipping === "") {
    (loadAddon() as { selectThreads(count: number): void }).selectThreads(count);
  }
};

/** What a call returned, and the arrays that it was given, as it left them. */
interface Outcome {
  readonly result: number | boolean | Float64Array | undefined;
  readonly arrays: readonly Float32Array[];
}

function expectSame(run: () => Outcome): void {
  switchCompiledLoopsOff(true);
  const plain = run();
  switchCompiledLoopsOff(false);
  expect(compiledLoops()).toBeDefined();
  const compiled = run();
  expect(compiled.result).toEqual(plain.result);
  for (const [n, array] of plain.arrays.entries()) {
    // Compared as bytes: much faster than value by value.
    const [left, right] = [bitsOf(array), bitsOf(compiled.arrays[n]!)];
    const differs = left.findIndex((bits, i) => bits !== right[i]);
    if (differs < 0 && left.length === right.length) continue;
    expect.fail(
      `array ${n} at ${differs}: ${compiled.arrays[n]![differs]}, in JavaScript ${array[differs]}`,
    );
  }
}

describe.each([1, 2, 3])("compiled loops on %i threads", (numThreads) => {
  beforeEach((context) => {
    context.skip(reasonForSkipping !== "", reasonForSkipping);
    selectThreads(numThreads);
  });
  afterEach(() => {
    switchCompiledLoopsOff(false);
  });
  afterAll(() => {
    selectThreads(1);
  });

  it("add, scale and clamp to the same bits", () => {
    fc.assert(
      fc.property(anyValues, anyFactor, fc.boolean(), (values, factor, inPlace) => {
        const outFor = (array: Float32Array): Float32Array =>
          inPlace ? array : floatsOf(values, 9);
        expectSame(() => {
          const [left, right] = [floatsOf(values, 1), floatsOf(values, 2)];
          const out = outFor(left);
          treeAdd(left, right, out);
          return { result: undefined, arrays: [left, right, out] };
        });
        expectSame(() => {
          const given = floatsOf(values, 1);
          const out = outFor(given);
          scaleValues(given, factor, out);
          return { result: undefined, arrays: [given, out] };
        });
        expectSame(() => {
          const [given, other] = [floatsOf(values, 1), floatsOf(values, 2)];
          addScaled(given, factor, other);
          return { result: undefined, arrays: [given, other] };
        });
        expectSame(() => {
          const given = floatsOf(values, 1);
          const out = outFor(given);
          return { result: clampValues(given, Math.abs(factor), out), arrays: [given, out] };
        });
      }),
      { numRuns: 60 },
    );
  });

  it("round to bfloat16 to the same bits", () => {
    fc.assert(
      fc.property(anyValues, fc.boolean(), (values, inPlace) => {
        expectSame(() => {
          const given = floatsOf(values, 1);
          const out = inPlace ? given : floatsOf(values, 2);
          roundToBfloat16(given, out);
          return { result: undefined, arrays: [given, out] };
        });
      }),
      { numRuns: 60 },
    );
  });

  it("check and sum squares to the same bits", () => {
    fc.assert(
      fc.property(anyValues, (values) => {
        const given = floatsOf(values, 1);
        expectSame(() => ({ result: firstNonFinite(given), arrays: [given] }));
        expectSame(() => ({ result: sumOfSquares(given), arrays: [given] }));
      }),
      { numRuns: 100 },
    );
  });

  it("sum the squares of many blocks, and find what is not finite in any of them", () => {
    // Six of the sum's blocks and a part, several of the blocks that threads share out.
    for (const length of [4096, 16_384, 5 * 32_768 + 1, 5 * 32_768 + 16_384 + 4097]) {
      const values = { seed: length, length, special: 0, offset: 1, isShared: false };
      const given = floatsOf(values, 1);
      expectSame(() => ({ result: sumOfSquares(given), arrays: [] }));
      given[length - 1] = NaN;
      expectSame(() => ({ result: firstNonFinite(given), arrays: [] }));
      given[length >> 1] = Infinity;
      expectSame(() => ({ result: firstNonFinite(given), arrays: [] }));
    }
  });

  it("find the first new parameter that is not finite, in any of the blocks", () => {
    for (const length of [32_768, 5 * 32_768 + 17]) {
      const values = { seed: length, length, special: 0, offset: 1, isShared: false };
      const step = { gradientScale: 1, learningRate: 1 };
      const update = (...bad: number[]): Outcome => {
        const [parameters, gradient] = [floatsOf(values, 1), floatsOf(values, 2)];
        for (const place of bad) gradient[place] = Infinity;
        const out = new Float32Array(length);
        return { result: sgdUpdate({ parameters, gradient, out, ...step }), arrays: [out] };
      };
      expect(update().result).toBe(-1);
      expect(update(length - 1).result).toBe(length - 1);
      expect(update(length - 1, length >> 1).result).toBe(length >> 1);
      expectSame(() => update(length - 1, length >> 1));
    }
  });

  it("treat columns to the same bits", () => {
    fc.assert(
      fc.property(anyValues, fc.integer({ min: 1, max: 40 }), (values, numColumns) => {
        const rows = { ...values, length: values.length - (values.length % numColumns) };
        expectSame(() => {
          const [given, out] = [floatsOf(rows, 1), floatsOf(rows, 2)];
          const scales = floatsOf({ ...values, length: numColumns }, 3);
          scaleColumns(given, scales, out);
          return { result: undefined, arrays: [given, out] };
        });
        const given = floatsOf(rows, 1);
        expectSame(() => ({ result: columnSumsOfSquares(given, numColumns), arrays: [given] }));
      }),
      { numRuns: 60 },
    );
  });

  it.each(Object.entries(UPDATES))("%s moves to the same bits", (_, apply) => {
    fc.assert(
      fc.property(anyValues, anyScalars, fc.boolean(), (values, scalars, inPlace) => {
        expectSame(() => {
          const parameters = floatsOf(values, 1);
          const arrays = {
            parameters,
            gradient: floatsOf(values, 2),
            out: inPlace ? parameters : floatsOf(values, 3),
            mean: floatsOf(values, 4),
            square: floatsOf(values, 5, true),
            largest: floatsOf(values, 6, true),
          };
          return { result: apply(arrays, scalars), arrays: Object.values(arrays) };
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("an addon function", () => {
  it("refuses arrays of other lengths and types, by name", (context) => {
    context.skip(reasonForSkipping !== "", reasonForSkipping);
    const addon = loadAddon() as CompiledLoops;
    const [two, three] = [new Float32Array(2), new Float32Array(3)];
    expect(() => {
      addon.treeAdd(two, two, three);
    }).toThrow(new TypeError("treeAdd: out has 3 values, expected 2"));
    expect(() => {
      addon.treeAdd(two, new Float64Array(2) as unknown as Float32Array, two);
    }).toThrow(new TypeError("treeAdd: right is no Float32Array"));
    expect(() => {
      addon.scaleColumns(three, two, three);
    }).toThrow(new TypeError("scaleColumns: 3 values are no rows of 2 columns"));
  });
});
