import type { Moments } from "../statistics/index.js";

/** What one leaf's rows came to. */
export interface LeafOutcome {
  readonly leaf: number;
  /** Sum of weight × loss in nats, in float64, added in the order (time, row). */
  readonly lossSum: number;
  /** Sum of the weights. */
  readonly lossWeight: number;
  /** Carried state after the last time step; of a language model, see its carried-state.ts for the layout. */
  readonly state: Float32Array;
  /** Of each batch normalization, in the order of `statisticsLayout`; no value in evaluation. */
  readonly moments: readonly Moments[];
}
