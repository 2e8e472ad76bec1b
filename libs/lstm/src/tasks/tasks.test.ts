import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { addingProblem, copyTask, copyTaskSizes } from "./index.js";

const rows = { numRows: 3, seed: 5, step: 2 };

describe("addingProblem", () => {
  it("marks one step of each half, whose numbers the target adds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 30 }), fc.nat(1000), (length, seed) => {
        const { inputs, targets } = addingProblem({ ...rows, length, seed });
        for (let row = 0; row < rows.numRows; row++) {
          const steps = Array.from({ length }, (_, t) => t);
          const [value, mark] = [0, 1].map((k) => (t: number) => inputs[(t * 3 + row) * 2 + k]!);
          const marked = steps.filter((t) => mark!(t) === 1);
          expect(steps.every((t) => [0, 1].includes(mark!(t)))).toBe(true);
          expect(steps.every((t) => value!(t) >= 0 && value!(t) < 1)).toBe(true);
          expect(marked.map((t) => t >= Math.floor(length / 2))).toEqual([false, true]);
          expect(targets[row]).toBe(Math.fround(value!(marked[0]!) + value!(marked[1]!)));
        }
      }),
    );
  });

  it("draws a row by itself: other rows, steps and seeds are others", () => {
    const options = { ...rows, length: 8 };
    const first = addingProblem(options);
    const alone = addingProblem({ ...options, numRows: 1 });
    expect(Array.from({ length: 8 }, (_, t) => first.inputs[t * 6])).toEqual(
      Array.from({ length: 8 }, (_, t) => alone.inputs[t * 2]),
    );
    expect(addingProblem(options)).toEqual(first);
    for (const other of [{ step: 3 }, { seed: 6 }, { leaf: 1 }]) {
      expect(addingProblem({ ...options, ...other }).targets).not.toEqual(first.targets);
    }
  });

  it("refuses a length that has no two halves", () => {
    expect(() => addingProblem({ ...rows, length: 1 })).toThrow(
      "adding problem: length is 1, expected a whole number from 2",
    );
  });
});

describe("copyTask", () => {
  it("shows symbols, blanks and a sign, and asks for the symbols at the end", () => {
    const options = { ...rows, numRows: 1, numSymbols: 3, delay: 4, alphabetSize: 5 };
    const { inputs, targets, numSteps } = copyTask(options);
    const symbols = [...inputs.subarray(0, 3)];
    expect(numSteps).toBe(10);
    expect(symbols.every((symbol) => symbol >= 0 && symbol < 5)).toBe(true);
    // Three blanks, the sign, three blanks.
    expect([...inputs.subarray(3)]).toEqual([5, 5, 5, 6, 5, 5, 5]);
    expect([...targets]).toEqual([5, 5, 5, 5, 5, 5, 5, ...symbols]);
    expect(copyTaskSizes(options)).toEqual({ vocabularySize: 7, numTargets: 6 });
  });

  it("draws every symbol about equally often", () => {
    const { inputs } = copyTask({
      ...rows,
      numRows: 500,
      numSymbols: 8,
      delay: 1,
      alphabetSize: 4,
    });
    const counts = [0, 1, 2, 3].map((symbol) => inputs.filter((token) => token === symbol).length);
    // 4000 draws: 1000 each, with a standard deviation of 27.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(110);
  });

  it.each(["numSymbols", "delay", "alphabetSize"])("refuses %s of 0", (name) => {
    const options = { ...rows, numSymbols: 3, delay: 4, alphabetSize: 5, [name]: 0 };
    expect(() => copyTask(options)).toThrow(
      `copy task: ${name} is 0, expected a whole number from 1`,
    );
  });
});
