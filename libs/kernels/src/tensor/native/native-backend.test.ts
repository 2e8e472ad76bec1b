/** The pool: an array that somebody may still read is never handed out again. */
import {
  complex,
  concat,
  engine,
  real,
  reshape,
  slice,
  split,
  tensor1d,
  tensor2d,
  transpose,
} from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasNative } from "../../../test/support/backends.js";
import { selectBackend } from "../backends.js";
import type { BackendName } from "../backends.js";
import { embeddingGather, matMulBias, sequenceRows } from "../contract/index.js";

/** All tensors are [N,N], so that an array that came back is used again at once. */
const N = 4;

/** What makes a tensor of two. Each is exact, so that backends agree to the bit. */
const MAKERS: Readonly<Record<string, (x: Tensor2D, y: Tensor2D) => Tensor2D>> = {
  product: (x) => matMulBias(x, turn()),
  gather: (x) => embeddingGather(x, tensor1d([3, 1, 2, 0], "int32")),
  rows: (x) => {
    const sequence: Tensor3D = reshape(x, [N, 1, N]);
    return sequenceRows(sequence, { firstStep: 0, numSteps: N, firstRow: 0, numRows: 1 });
  },
  transpose: (x) => transpose(x),
  reshape: (x) => reshape(x, [N, N]),
  halves: (x, y) => concat([slice(x, [0, 0], [N / 2, N]), split<Tensor2D>(y, 2)[1]!]),
  slice: (x) => slice(x, [0, 0], [N, N]),
  split: (x) => split<Tensor2D>(x, [N, 0])[0]!,
  real: (x, y) => real<Tensor2D>(complex(x, y)),
};

/** Turns columns by one. */
const turn = (): Tensor2D =>
  tensor2d(
    Array.from({ length: N * N }, (_, k) => (k % N === (Math.floor(k / N) + 1) % N ? 1 : 0)),
    [N, N],
  );

interface Step {
  readonly what: string;
  readonly x: number;
  readonly y: number;
}

const programs = fc.array(
  fc.record({
    what: fc.constantFrom(...Object.keys(MAKERS), "dispose", "dispose", "dispose", "read"),
    x: fc.nat(20),
    y: fc.nat(20),
  }),
  { minLength: 5, maxLength: 60 },
);

/** Runs the steps; what is left at the end, and the arrays that were read on the way, as they are then. */
async function numbersOn(backend: BackendName, program: readonly Step[]): Promise<number[][]> {
  await selectBackend(backend);
  const live = [0, 1].map((n) =>
    tensor2d(
      Array.from({ length: N * N }, (_, k) => 100 * n + k),
      [N, N],
    ),
  );
  const read: ArrayLike<number>[] = [];
  for (const { what, x, y } of program) {
    const [first, second] = [live[x % live.length]!, live[y % live.length]!];
    if (what === "read") {
      read.push(first.dataSync());
    } else if (what !== "dispose") {
      live.push(engine().tidy(() => MAKERS[what]!(first, second)));
    } else if (live.length > 1) {
      live.splice(x % live.length, 1)[0]!.dispose();
    }
  }
  const left = live.map((tensor) => tensor.dataSync());
  for (const tensor of live) tensor.dispose();
  return [...left, ...read].map((array) => Array.from(array));
}

describe.runIf(hasNative)("the native backend's pool", () => {
  it("hands no array out that a tensor or a reader still has", async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        expect(await numbersOn("native", program)).toEqual(await numbersOn("cpu", program));
      }),
      { numRuns: 300 },
    );
  });

  it("does hand out what nobody has", async () => {
    await selectBackend("native");
    const x = tensor2d(new Float32Array(N * N), [N, N]);
    const { data } = engine().backend as unknown as {
      data: { get(id: object): { values: unknown } };
    };
    const first = transpose(x);
    const { values } = data.get(first.dataId);
    first.dispose();
    const second = transpose(x);
    expect(data.get(second.dataId).values).toBe(values);
    second.dispose();
    x.dispose();
  });
});
