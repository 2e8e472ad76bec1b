import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LstmError } from "../lstm-error.js";
import { averagingStart } from "./averaging-trigger.js";
import type { DecisionsSpec, PlateauSpec } from "./decision-keys.js";
import { createDecisions, decisionStateSchema } from "./decisions.js";
import type { Decided, DecisionState } from "./decisions.js";

const NOTHING: DecisionsSpec = { plateau: null, earlyStopping: null, averaging: null };
const PLATEAU: PlateauSpec = {
  factor: 0.5,
  patience: 1,
  threshold: 0,
  thresholdMode: "abs",
  cooldown: 0,
  minFraction: 0,
};

/** What is decided after each of the losses, which come every 10 steps. */
function decide(spec: Partial<DecisionsSpec>, losses: readonly number[]): readonly Decided[] {
  const decisions = createDecisions({ ...NOTHING, ...spec });
  let state = decisions.initialState();
  return losses.map((loss, i) => {
    const decided = decisions.afterEvaluation(state, { step: 10 * (i + 1), loss });
    ({ state } = decided);
    return decided;
  });
}

describe("the best evaluation", () => {
  it("is the lowest finite loss so far, the first of equal ones", () => {
    const all = decide({}, [NaN, 3, 3, Infinity, 2, -Infinity, 2.5]);
    expect(all.map(({ isBest }) => isBest)).toEqual([
      ...[false, true, false, false],
      ...[true, false, false],
    ]);
    expect(all.at(-1)?.state).toMatchObject({ best: { step: 50, loss: 2 }, evaluatedStep: 70 });
  });
});

describe("reduce on plateau", () => {
  it("lets `patience` bad evaluations pass, then rests for `cooldown`", () => {
    const plateau = { ...PLATEAU, cooldown: 2 };
    // 3 is an improvement; bad 1 and 2 > patience: halved; two of cooldown; bad 1 and 2: halved.
    const losses = [3, 3, 3, 3, 3, 3, 3];
    const factors = decide({ plateau }, losses).map((one) => one.learningRateFactor);
    expect(factors).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]);
  });

  it("takes `threshold` as a share of the best, or as a difference", () => {
    // Best 4. Relative 0.25: below 3 improves; absolute 0.25: below 3.75 does.
    const losses = [4, 3, 3];
    const last = (thresholdMode: "rel" | "abs"): number | undefined =>
      decide({ plateau: { ...PLATEAU, threshold: 0.25, thresholdMode } }, losses).at(-1)
        ?.learningRateFactor;
    expect([last("rel"), last("abs")]).toEqual([0.5, 1]);
  });

  it("stops at `minFraction`", () => {
    const plateau = { ...PLATEAU, patience: 0, minFraction: 0.3 };
    const factors = decide({ plateau }, [1, 1, 1, 1]).map((one) => one.learningRateFactor);
    expect(factors).toEqual([1, 0.5, 0.3, 0.3]);
  });
});

describe("early stopping", () => {
  const reasons = (patience: number, minDelta: number, losses: readonly number[]): unknown =>
    decide({ earlyStopping: { patience, minDelta } }, losses).map(({ shouldStop }) => shouldStop);
  const STOP = "earlyStopping";

  it("ends training with `patience` evaluations in a row that are no better", () => {
    // One bad, an improvement, then two bad in a row.
    expect(reasons(2, 0, [3, 3, 2, 2.5, 2])).toEqual([...Array<undefined>(4), STOP]);
  });

  it("takes for better only what is so by more than `minDelta`", () => {
    // Best 4: 3.5 is lower by exactly 0.5, 3.25 by more than that.
    expect(reasons(2, 0.5, [4, 3.5, 3.25, 3, 2.75])).toEqual([...Array<undefined>(4), STOP]);
  });

  it("counts a loss that is not finite as no better", () => {
    expect(reasons(2, 0, [NaN, NaN])).toEqual([undefined, STOP]);
  });

  it("keeps to its decision and to its step", () => {
    const all = decide({ earlyStopping: { patience: 1, minDelta: 0 } }, [2, 2, 1]);
    expect(all.at(-1)?.state.stop).toEqual({ reason: STOP, step: 20 });
  });
});

describe("the non-monotonic trigger", () => {
  const starts = (nonmonotonicInterval: number, losses: readonly number[]): unknown =>
    decide({ averaging: { nonmonotonicInterval } }, losses).map((one) => one.averagingStartStep);

  it("starts at the first loss worse than the best of those before the last n", () => {
    // n = 2, logs by t. t = 3: 4.5 against min(5). t = 4: 4.2 against min(5, 4): worse.
    expect(starts(2, [5, 4, 4.5, 4.5, 4.2, 1])).toEqual([
      ...[undefined, undefined, undefined, undefined],
      ...[50, 50],
    ]);
  });

  it("compares with all before where n is 0, from the second on", () => {
    expect(starts(0, [5, 5, 5.1])).toEqual([undefined, undefined, 30]);
  });

  it("names the step, and the update after it where steps were left out", () => {
    const decisions = createDecisions({ ...NOTHING, averaging: { nonmonotonicInterval: 0 } });
    const start = decisions.initialState();
    expect(averagingStart(start)).toBeUndefined();
    const first = decisions.afterEvaluation(start, { step: 10, numUpdates: 8, loss: 1 });
    const second = decisions.afterEvaluation(first.state, { step: 20, numUpdates: 17, loss: 2 });
    const third = decisions.afterEvaluation(second.state, { step: 30, numUpdates: 26, loss: 3 });
    for (const { state } of [second, third]) {
      expect(state.averaging).toMatchObject({ startStep: 20, startUpdate: 17 });
      expect(averagingStart(state)).toBe(18);
    }
    // As many as steps, unless said otherwise.
    const plain = decisions.afterEvaluation(first.state, { step: 20, loss: 2 });
    expect(averagingStart(plain.state)).toBe(21);
  });

  it("is not started by a loss that is not finite, nor by one against it", () => {
    // n = 1: 9 against min(NaN): nothing to compare with; 9.5 against min(NaN, NaN); 9.6 against 9.
    expect(starts(1, [NaN, NaN, 9, 9.5, 9.6])).toEqual([...Array<undefined>(4), 50]);
  });

  it("is Algorithm 1 of Merity et al. 2018, whatever the losses", () => {
    const losses = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.nat(5), losses, (n, all) => {
        // T ← k at the first t > n with v > min over l in {0 … t − n − 1} of logs[l].
        const t = all.findIndex((v, i) => i > n && v > Math.min(...all.slice(0, i - n)));
        const expected = all.map((_, i) => (t >= 0 && i >= t ? 10 * (t + 1) : undefined));
        expect(starts(n, all)).toEqual(expected);
      }),
    );
  });
});

describe("the state", () => {
  it("is plain JSON from which the decisions go on as if nothing had been in between", () => {
    const spec: DecisionsSpec = {
      plateau: { ...PLATEAU, cooldown: 1 },
      earlyStopping: { patience: 4, minDelta: 0.5 },
      averaging: { nonmonotonicInterval: 2 },
    };
    const loss = fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: 9, noNaN: true }));
    fc.assert(
      fc.property(fc.array(loss, { minLength: 1, maxLength: 20 }), (losses) => {
        const decisions = createDecisions(spec);
        let state: DecisionState = decisions.initialState();
        for (const [i, undisturbed] of decide(spec, losses).entries()) {
          const read = decisionStateSchema.parse(JSON.parse(JSON.stringify(state)));
          const evaluation = { step: 10 * (i + 1), loss: losses[i]! };
          const decided = decisions.afterEvaluation(read, evaluation);
          expect(decided).toEqual(undisturbed);
          ({ state } = decided);
        }
      }),
    );
  });

  it("has nothing of what is not decided", () => {
    expect(createDecisions(NOTHING).initialState()).toMatchObject({
      ...{ plateau: null, earlyStopping: null, averaging: null },
      ...{ learningRateFactor: 1, stop: null, best: null },
    });
  });
});

describe("createDecisions", () => {
  it.each([
    [
      { plateau: { ...PLATEAU, factor: 1 } },
      "decisions.plateau.factor is 1; it must be a number above 0 and below 1",
    ],
    [
      { earlyStopping: { patience: 0, minDelta: 0 } },
      "decisions.earlyStopping.patience is 0; it must be a whole number from 1 to 4294967295",
    ],
    [
      { averaging: { nonmonotonicInterval: -1 } },
      "decisions.averaging.nonmonotonicInterval is -1; it must be a whole number from 0 to 1000",
    ],
  ])("refuses %j", (spec, message) => {
    expect(() => createDecisions({ ...NOTHING, ...spec })).toThrow(
      new LstmError("invalidDecisions", message),
    );
  });
});
