import { DataError } from "../data-error.js";
import { GrowingArray, LineProblem, MAX_IDS, MAX_SAMPLES } from "../samples/index.js";
import type {
  SequenceInputsKind,
  SequenceSamples,
  SequenceTargetsKind,
} from "./sequence-dataset.js";
import type { SequenceLine, TargetsForm } from "./sequence-line.js";

/** Sizes that the data alone does not tell. */
export interface KnownSizes {
  /** Token ids are below this; null: one more than the largest. */
  readonly vocabularySize: number | null;
  /** Classes or labels are below this; null: one more than the largest, the blank included. */
  readonly numClasses: number | null;
}

export interface BuiltSamples {
  readonly inputs: SequenceInputsKind;
  readonly targets: SequenceTargetsKind;
  readonly samples: SequenceSamples;
}

/** Lines one after the other → typed arrays; each line must be like the first. */
export class SequenceBuilder {
  readonly #form: TargetsForm;
  readonly #sizes: KnownSizes;
  readonly #lengths = new GrowingArray(Uint32Array);
  readonly #targetLengths = new GrowingArray(Uint32Array);
  readonly #weights = new GrowingArray(Float32Array);
  readonly #targets: GrowingArray<Float32Array | Int32Array>;
  #inputs: GrowingArray<Float32Array | Int32Array> | undefined;
  #inputsKind: SequenceInputsKind["kind"] = "values";
  #inputSize = 0;
  #targetSize = 0;
  #largestToken = -1;
  #largestClass = -1;

  constructor(form: TargetsForm, sizes: KnownSizes) {
    this.#form = form;
    this.#sizes = sizes;
    this.#targets = new GrowingArray<Float32Array | Int32Array>(
      form.kind === "values" ? Float32Array : Int32Array,
    );
    if (form.kind === "labelSequences") this.#largestClass = form.blank;
  }

  get numSequences(): number {
    return this.#lengths.length;
  }

  /** @throws LineProblem for a line that is not like those before it */
  add(line: SequenceLine): void {
    const { inputs, length, targets, targetSize, weight } = line;
    if (this.numSequences === MAX_SAMPLES) {
      throw new LineProblem(`it is one more than the ${MAX_SAMPLES} sequences that are allowed`);
    }
    this.#inputs ??= this.#begin(line);
    this.#requireLikeFirst(line);
    if (inputs.kind === "values") this.#inputs.push(inputs.values);
    else {
      this.#largestToken = largest(this.#largestToken, inputs.ids);
      requireBelow("inputs", inputs.ids, this.#sizes.vocabularySize, "data.vocabularySize");
      this.#inputs.push(inputs.ids);
    }
    if (this.#form.kind !== "values") {
      const ignored = this.#form.kind === "classes" ? this.#form.ignored : undefined;
      const classes = targets.filter((target) => target !== ignored);
      this.#largestClass = largest(this.#largestClass, classes);
      requireBelow("targets", classes, this.#sizes.numClasses, "data.numClasses");
    }
    if (this.#form.kind === "labelSequences") this.#targetLengths.push([targets.length]);
    else this.#targetSize = targetSize;
    this.#targets.push(targets);
    this.#lengths.push([length]);
    this.#weights.push([weight]);
  }

  /** @throws DataError 'wrongNumberOfSamples' if there is none */
  finish(): BuiltSamples {
    const form = this.#form;
    if (this.#inputs === undefined) {
      throw new DataError("wrongNumberOfSamples", "the files hold no sequence", { given: 0 });
    }
    const isTokens = this.#inputsKind === "tokens";
    const numTokens = this.#sizes.vocabularySize ?? this.#largestToken + 1;
    const numClasses = this.#sizes.numClasses ?? Math.max(this.#largestClass + 1, 1);
    return {
      inputs: { kind: this.#inputsKind, size: isTokens ? numTokens : this.#inputSize },
      targets: {
        kind: form.kind,
        of: form.kind === "labelSequences" ? "lastStep" : form.of,
        size: form.kind === "values" ? this.#targetSize : numClasses,
        ignored: form.kind === "classes" ? form.ignored : null,
      },
      samples: {
        lengths: this.#lengths.values(),
        targetLengths: this.#targetLengths.values(),
        weights: this.#weights.values(),
        inputs: this.#inputs.values(),
        targets: this.#targets.values(),
      },
    };
  }

  #begin({ inputs, targetSize }: SequenceLine): GrowingArray<Float32Array | Int32Array> {
    if (inputs.kind === "values" && this.#sizes.vocabularySize !== null) {
      throw new LineProblem(
        `inputs are values; they must be token ids, as data.vocabularySize is ` +
          `${this.#sizes.vocabularySize}`,
      );
    }
    this.#inputsKind = inputs.kind;
    if (inputs.kind === "values") this.#inputSize = inputs.size;
    this.#targetSize = targetSize;
    return new GrowingArray<Float32Array | Int32Array>(
      inputs.kind === "values" ? Float32Array : Int32Array,
    );
  }

  #requireLikeFirst({ inputs, targetSize }: SequenceLine): void {
    if (inputs.kind !== this.#inputsKind) {
      throw new LineProblem(
        `inputs are ${inputs.kind}; they must be ${this.#inputsKind}, as in the first sequence`,
      );
    }
    if (inputs.kind === "values" && inputs.size !== this.#inputSize) {
      throw new LineProblem(
        `inputs has ${inputs.size} values a step; it must have ${this.#inputSize}, as in the first ` +
          "sequence",
      );
    }
    if (this.#form.kind === "values" && targetSize !== this.#targetSize) {
      throw new LineProblem(
        `targets has ${targetSize} values; it must have ${this.#targetSize}, as in the first sequence`,
      );
    }
  }
}

/** Without spreading: a sequence may be longer than a call may have arguments. */
function largest(so: number, ids: readonly number[]): number {
  return ids.reduce((most, id) => Math.max(most, id), so);
}

function requireBelow(
  name: string,
  ids: readonly number[],
  limit: number | null,
  key: string,
): void {
  const allowed = limit ?? MAX_IDS;
  const bad = ids.find((id) => id >= allowed);
  if (bad === undefined) return;
  throw new LineProblem(`${name} has ${bad}; ids are 0 to ${allowed - 1}, as ${key} says`);
}
