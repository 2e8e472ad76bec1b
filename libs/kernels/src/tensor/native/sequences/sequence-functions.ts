/** The addon's functions of GRU, RNN and the LSTM with options: undefined leaves an option out. */
type Floats = Float32Array;
type Option = Float32Array | undefined;

interface Sizes {
  readonly numSteps: number;
  readonly numRows: number;
  readonly hiddenSize: number;
  readonly onTimeSteps: ((done: number) => void) | undefined;
}

interface Backward extends Sizes {
  readonly hiddenGradient: Floats;
  /** As the forward pass has it, or with `transposed` its transpose. */
  readonly recurrentKernel: Floats;
  readonly transposed: boolean;
  readonly gateGradients: Floats;
  readonly initialHiddenGradient: Floats;
}

interface GruOptions {
  readonly keep: Option;
  readonly resetAfter: boolean;
}

interface RnnOptions {
  readonly keep: Option;
  readonly isRelu: boolean;
}

/** What an LSTM's options read. */
export interface LstmVariantOptionArrays {
  readonly peephole: Option;
  readonly recurrentGain: Option;
  readonly cellGain: Option;
  readonly cellBias: Option;
  readonly keepHidden: Option;
  readonly keepCell: Option;
}

interface LstmVariantCall extends LstmVariantOptionArrays {
  readonly coupledGates: boolean;
  readonly epsilon: number;
  readonly stateSize: number;
  /** [H,R], or with `transposed` [R,H]. */
  readonly projection: Option;
  readonly cell: Floats;
  readonly gates: Floats;
  readonly cellActivations: Floats;
  readonly recurrentNormalized: Option;
  readonly recurrentInverseDeviations: Option;
  readonly cellNormalized: Option;
  readonly cellInverseDeviations: Option;
}

/** Shapes and meanings are those of native/include/ostinato. */
export interface SequenceFunctions {
  gruForward(
    call: Sizes &
      GruOptions & {
        readonly inputGates: Floats;
        readonly recurrentKernel: Floats;
        readonly candidateBias: Option;
        readonly hidden: Floats;
        readonly gates: Floats;
        readonly candidates: Floats;
      },
  ): void;
  gruBackward(
    call: Backward &
      GruOptions & {
        readonly gates: Floats;
        readonly candidates: Floats;
        readonly hidden: Floats;
        /** With `resetAfter` alone. */
        readonly recurrentGradients: Option;
      },
  ): void;
  rnnForward(
    call: Sizes &
      RnnOptions & {
        readonly inputGates: Floats;
        readonly recurrentKernel: Floats;
        readonly hidden: Floats;
        readonly activations: Option;
      },
  ): void;
  rnnBackward(call: Backward & RnnOptions & { readonly activations: Floats }): void;
  lstmVariantForward(
    call: Sizes &
      LstmVariantCall & {
        readonly inputGates: Floats;
        readonly recurrentKernel: Floats;
        readonly hidden: Floats;
        readonly cellCandidates: Floats;
        readonly projectionInputs: Option;
      },
  ): void;
  lstmVariantBackward(
    call: Backward &
      LstmVariantCall & {
        readonly cellGradient: Option;
        /** With layer normalization alone. */
        readonly recurrentGradients: Option;
        readonly initialCellGradient: Floats;
        readonly projectionGradients: Option;
        readonly cellNormGradients: Option;
      },
  ): void;
}
