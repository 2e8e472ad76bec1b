/** Who frees what: the tests that every model's calls have in common. */
import { memory } from "@tensorflow/tfjs-core";
import { expect } from "vitest";

import type { OnGradient, ProgressOptions } from "../../src/model/index.js";

/** What is asked of every call that computes gradients. */
export interface GradientCall extends ProgressOptions {
  readonly onGradient: OnGradient;
}

const ignore = (): void => undefined;

/**
 * None of the calls leaves a tensor behind. Each is made once before: what follows from the parameters once
 * a version, such as transposes, stays with them.
 */
export function expectNothingLeft(...calls: readonly (() => unknown)[]): void {
  for (const call of calls) call();
  const before = memory();
  for (const call of calls) {
    call();
    expect(memory()).toEqual(before);
  }
}

/**
 * A call that computes gradients ends with `cancelled` at each of its reports, and with the receiver's own
 * error at each tensor; it leaves nothing behind.
 *
 * @returns how many reports it makes.
 */
export function expectCleanEndings(compute: (call: GradientCall) => unknown): number {
  const names: string[] = [];
  let numReports = 0;
  compute({ onGradient: (name) => names.push(name), onProgress: () => numReports++ });
  const before = memory();
  for (let stopAt = 0; stopAt < numReports; stopAt++) {
    let asked = 0;
    const isCancelled = (): boolean => asked++ === stopAt;
    expect(() => compute({ onGradient: ignore, isCancelled })).toThrow(
      expect.objectContaining({ code: "cancelled" }),
    );
    expect(memory()).toEqual(before);
  }
  expect(names.length).toBeGreaterThan(0);
  for (const failing of names) {
    const refuse = (name: string): void => {
      if (name === failing) throw new Error(`no room for ${name}`);
    };
    expect(() => compute({ onGradient: refuse })).toThrow(`no room for ${failing}`);
    expect(memory()).toEqual(before);
  }
  return numReports;
}

/** A model without parameters says so, whatever is asked of it. */
export function expectParametersNeeded(...calls: readonly (() => unknown)[]): void {
  for (const call of calls) {
    expect(call).toThrow(expect.objectContaining({ code: "invalidParameters" }));
  }
}

interface Model {
  readonly setParameters: (parameters: Float32Array) => void;
  readonly dispose: () => void;
}

/** A model with parameters, and the check that its end, however often, leaves what was there before it. */
export function heldModel<M extends Model>(
  create: () => M,
  parameters: Float32Array,
): { readonly model: M; readonly expectEnd: () => void } {
  const before = memory();
  const model = create();
  model.setParameters(parameters);
  return {
    model,
    expectEnd: () => {
      model.dispose();
      model.dispose();
      expect(memory()).toEqual(before);
    },
  };
}
