import { parameterLayout } from "../layout/index.js";
import type { ParameterLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import type { ModelSpec } from "../spec/index.js";
import { initialStatistics, statisticsLayout } from "../statistics/index.js";
import type { Moments, StatisticsLayout } from "../statistics/index.js";
import type { BatchLeaf } from "./batch-leaves.js";
import type { LeafLoss } from "./layers/index.js";
import { inTensorScope, nodesOf, ParameterTensors, Progress } from "./pass/index.js";
import type {
  OnGradient,
  Pass,
  PassObserver,
  ProgressOptions,
  SetParametersOptions,
  TrainingKey,
  WantedNodes,
} from "./pass/index.js";
import type { LeafOutcome } from "./leaf-outcome.js";

/** What a pass is made of besides the model. */
export interface PassOptions {
  readonly numRows: number;
  readonly leaves: readonly BatchLeaf[];
  readonly nodes?: WantedNodes | undefined;
  /** Undefined in evaluation. */
  readonly training?: TrainingKey | undefined;
  readonly progress: Progress;
  readonly onGradient?: OnGradient | undefined;
  readonly observer?: PassObserver | undefined;
}

/** Moments of the batch normalizations, each in the order of the statistics' layout, leaf by leaf. */
export class GatheredMoments {
  readonly #layout: StatisticsLayout;
  readonly #perNormalization = new Map<string, readonly Moments[]>();

  constructor(layout: StatisticsLayout) {
    this.#layout = layout;
  }

  readonly take = (name: string, perLeaf: readonly Moments[]): void => {
    this.#perNormalization.set(name, perLeaf);
  };

  /** @param index the leaf's place in the batch. */
  ofLeaf(index: number): readonly Moments[] {
    return this.#layout.entries.map(({ name, size }) => {
      const moments = this.#perNormalization.get(name)?.[index];
      return moments ?? { count: 0, mean: new Float64Array(size), m2: new Float64Array(size) };
    });
  }
}

/** What a model computed of the leaves of a batch, in their order. */
export interface ComputedLeaves {
  readonly losses: readonly LeafLoss[];
  /** Carried states; left out by models that carry none. */
  readonly states?: readonly Float32Array[];
}

/** What a model is asked to compute with, besides what its own inputs are. */
interface EvaluationPass extends ProgressOptions {
  readonly batch: Pick<PassOptions, "numRows" | "leaves">;
}

interface TrainingPass extends EvaluationPass, TrainingKey {
  readonly onGradient: OnGradient;
  readonly nodes?: WantedNodes | undefined;
  readonly observer?: PassObserver | undefined;
}

/** What every model has: a layout, one version of parameters, running statistics. */
export class ModelCore {
  readonly layout: ParameterLayout;
  readonly statistics: StatisticsLayout;
  #running: Float64Array;
  #parameters: ParameterTensors | undefined;
  /** The array that the parameters were set from; held weakly, as it is of no other use here. */
  #source: WeakRef<Float32Array> | undefined;

  constructor(spec: ModelSpec) {
    this.layout = parameterLayout(spec);
    this.statistics = statisticsLayout(spec);
    this.#running = initialStatistics(this.statistics);
  }

  /** @throws LstmError `invalidParameters` when the length is not the layout's. */
  setParameters(flat: Float32Array, options?: SetParametersOptions): void {
    const next = new ParameterTensors(this.layout, flat, options);
    this.dispose();
    this.#parameters = next;
    this.#source = new WeakRef(flat);
  }

  /** Whether the parameters were set from this very array; as it was then, unless they are read in place. */
  hasSetFrom(flat: Float32Array): boolean {
    return this.#parameters !== undefined && this.#source?.deref() === flat;
  }

  /** @throws LstmError `invalidStatistics` when the length is not the layout's. */
  setRunningStatistics(flat: Float64Array): void {
    if (flat.length !== this.statistics.size) {
      throw new LstmError(
        "invalidStatistics",
        `running statistics have ${flat.length} values, the model has ${this.statistics.size}`,
      );
    }
    this.#running = Float64Array.from(flat);
  }

  /** What every model shows of its core. */
  get handle(): Pick<
    ModelCore,
    "layout" | "setParameters" | "hasSetFrom" | "setRunningStatistics" | "dispose"
  > {
    return {
      layout: this.layout,
      setParameters: (flat, options) => {
        this.setParameters(flat, options);
      },
      hasSetFrom: (flat) => this.hasSetFrom(flat),
      setRunningStatistics: (flat) => {
        this.setRunningStatistics(flat);
      },
      dispose: () => {
        this.dispose();
      },
    };
  }

  /**
   * Runs a pass forward and backward; `compute` begins the backward phase. Nothing it makes stays
   * allocated. A batch without rows has zero gradients, without computing.
   */
  train(options: TrainingPass, compute: (pass: Pass) => ComputedLeaves): LeafOutcome[] {
    const { batch, seed, step, onGradient, observer, nodes } = options;
    const moments = new GatheredMoments(this.statistics);
    const training = { seed, step };
    const progress = new Progress(options);
    const pass = this.pass({ ...batch, nodes, training, progress, onGradient, observer }, moments);
    if (batch.numRows === 0) this.#emitZeros(pass);
    return computed(pass, compute, moments);
  }

  /** Runs a pass forward; nothing that `compute` makes stays allocated. */
  evaluate(options: EvaluationPass, compute: (pass: Pass) => ComputedLeaves): LeafOutcome[] {
    const pass = this.pass({ ...options.batch, progress: new Progress(options) });
    return computed(pass, compute, new GatheredMoments(this.statistics));
  }

  /** @throws LstmError `invalidParameters` when none are set. */
  get parameters(): ParameterTensors {
    if (this.#parameters !== undefined) return this.#parameters;
    throw new LstmError("invalidParameters", "no parameters set: call setParameters first");
  }

  pass(options: PassOptions, moments = new GatheredMoments(this.statistics)): Pass {
    const ignore: OnGradient = () => undefined;
    return {
      numRows: options.numRows,
      leaves: options.leaves,
      nodes: nodesOf(options.nodes, options.leaves.length),
      progress: options.progress,
      parameters: this.parameters,
      training: options.training,
      onGradient: options.onGradient ?? ignore,
      onStatistics: moments.take,
      observer: options.observer,
      runningStatistics: (name) => {
        const entry = this.statistics.entries.find((candidate) => candidate.name === name);
        if (entry === undefined) throw new RangeError(`there are no running statistics of ${name}`);
        const { offset, size } = entry;
        return {
          mean: this.#running.subarray(offset, offset + size),
          variance: this.#running.subarray(offset + size, offset + 2 * size),
        };
      },
    };
  }

  /** The gradients of leaves without rows. */
  #emitZeros({ nodes, onGradient }: Pass): void {
    for (const { name, size } of inBackwardOrder(this.layout)) {
      onGradient(
        name,
        nodes.map(() => new Float32Array(size)),
      );
    }
  }

  dispose(): void {
    this.#parameters?.dispose();
    this.#parameters = undefined;
  }
}

function computed(
  pass: Pass,
  compute: (pass: Pass) => ComputedLeaves,
  moments: GatheredMoments,
): LeafOutcome[] {
  const run = (): LeafOutcome[] => {
    pass.progress.beginPhase("forward");
    return outcomesOf(pass.leaves, compute(pass), moments);
  };
  return pass.numRows === 0 ? outcomesOf(pass.leaves, { losses: [] }, moments) : inTensorScope(run);
}

function outcomesOf(
  leaves: readonly BatchLeaf[],
  { losses, states = [] }: ComputedLeaves,
  moments: GatheredMoments,
): LeafOutcome[] {
  return leaves.map(({ leaf }, index) => ({
    leaf,
    ...(losses[index] ?? { lossSum: 0, lossWeight: 0 }),
    state: states[index] ?? new Float32Array(0),
    moments: moments.ofLeaf(index),
  }));
}

/** The parameter tensors as backward reaches them: rooms from last to first. */
function inBackwardOrder(layout: ParameterLayout): ParameterLayout["tensors"] {
  const roomOf = (name: string): string => name.slice(0, name.lastIndexOf("."));
  const rooms = [...new Set(layout.tensors.map(({ name }) => roomOf(name)))].reverse();
  return rooms.flatMap((room) => layout.tensors.filter(({ name }) => roomOf(name) === room));
}
