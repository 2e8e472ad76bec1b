import {
  isFinite32,
  LineProblem,
  MAX_IDS,
  parseObject,
  requireKeys,
  shown,
  weightOf,
} from "../samples/index.js";

/** How the targets of a file are to be read: what the loss compares with. */
export type TargetsForm =
  | {
      readonly kind: "values";
      readonly of: "everyStep" | "lastStep";
      /** The least and the greatest that the loss takes; null: any finite number. */
      readonly range: readonly [number, number] | null;
    }
  | {
      readonly kind: "classes";
      readonly of: "everyStep" | "lastStep";
      /** Not a class: its position counts for nothing. */
      readonly ignored: number;
    }
  | {
      readonly kind: "labelSequences";
      readonly blank: number;
      /** Whether a sequence may be too short for its labels. */
      readonly allowShort: boolean;
    };

/** One line of a file, checked in itself. */
export interface SequenceLine {
  readonly inputs:
    | { readonly kind: "values"; readonly size: number; readonly values: readonly number[] }
    | { readonly kind: "tokens"; readonly ids: readonly number[] };
  readonly length: number;
  /** Values of a target; 1 for ids. */
  readonly targetSize: number;
  readonly targets: readonly number[];
  readonly weight: number;
}

const EXAMPLE = '{"inputs": […], "targets": …}';

/** @throws LineProblem */
export function parseSequenceLine(text: string, form: TargetsForm): SequenceLine {
  const raw = parseObject(text, EXAMPLE);
  requireKeys(raw, ["inputs", "targets", "weight"]);
  const inputs = parseInputs(raw["inputs"]);
  const length = inputs.kind === "tokens" ? inputs.ids.length : inputs.values.length / inputs.size;
  const { size: targetSize, values: targets } = parseTargets(raw["targets"], form, length);
  return { inputs, length, targetSize, targets, weight: weightOf(raw) };
}

/** A line without targets: what a model is to say something of. */
export type InputLine = Pick<SequenceLine, "inputs" | "length">;

/** @throws LineProblem */
export function parseInputsLine(text: string): InputLine {
  const inputs = parseInputs(parseObject(text, EXAMPLE)["inputs"]);
  const length = inputs.kind === "tokens" ? inputs.ids.length : inputs.values.length / inputs.size;
  return { inputs, length };
}

function parseInputs(raw: unknown): SequenceLine["inputs"] {
  if (!Array.isArray(raw) || raw.length === 0) {
    throw new LineProblem(
      `inputs is ${shown(raw)}; it must be a list with a list of values, or a token id, for each step`,
    );
  }
  const first: unknown = raw[0];
  if (typeof first === "number" && !Number.isInteger(first)) {
    throw new LineProblem(
      `inputs[0] is ${shown(first)}; it must be a list of values, such as [${shown(first)}], or a token id`,
    );
  }
  if (!Array.isArray(first)) return { kind: "tokens", ids: idsOf("inputs", raw, MAX_IDS) };
  return { kind: "values", ...matrixOf("inputs", raw) };
}

interface Matrix {
  readonly size: number;
  readonly values: readonly number[];
}

function parseTargets(raw: unknown, form: TargetsForm, length: number): Matrix {
  switch (form.kind) {
    case "labelSequences":
      return { size: 1, values: labelsOf(raw, form, length) };
    case "classes": {
      const isWhole = form.of === "lastStep";
      const ids = isWhole && !Array.isArray(raw) ? [raw] : listOf(raw, isWhole ? 1 : length);
      return { size: 1, values: idsOf("targets", ids, MAX_IDS, form.ignored) };
    }
    case "values":
      return valuesOf(raw, form, length);
  }
}

function labelsOf(
  raw: unknown,
  { blank, allowShort }: Extract<TargetsForm, { kind: "labelSequences" }>,
  length: number,
): readonly number[] {
  if (!Array.isArray(raw)) {
    throw new LineProblem(`targets is ${shown(raw)}; it must be a list of labels`);
  }
  const labels = idsOf("targets", raw, MAX_IDS);
  const at = labels.indexOf(blank);
  if (at !== -1) {
    throw new LineProblem(`targets[${at}] is ${blank}, the blank; it must be another label`);
  }
  // Between two equal labels a blank must stand.
  const repeats = labels.filter((label, i) => i > 0 && label === labels[i - 1]).length;
  const needed = labels.length + repeats;
  if (needed > length && !allowShort) {
    throw new LineProblem(
      `inputs has ${length} steps for ${labels.length} labels, ${repeats} of them equal to the one ` +
        `before; it must have at least ${needed}, or model.loss.zeroInfinity be true`,
    );
  }
  return labels;
}

function valuesOf(
  raw: unknown,
  { of, range }: Extract<TargetsForm, { kind: "values" }>,
  length: number,
): Matrix {
  const row: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const matrix = of === "everyStep" ? everyStepValues(raw, length) : rowOf("targets", row);
  const [least, greatest] = range ?? [-Infinity, Infinity];
  const bad = matrix.values.findIndex((value) => value < least || value > greatest);
  if (bad === -1) return matrix;
  throw new LineProblem(
    `targets has ${matrix.values[bad]}; the loss takes numbers from ${least} to ${greatest}`,
  );
}

function everyStepValues(raw: unknown, length: number): Matrix {
  const list = listOf(raw, length);
  return Array.isArray(list[0])
    ? matrixOf("targets", list)
    : matrixOf(
        "targets",
        list.map((value) => [value]),
      );
}

function listOf(raw: unknown, length: number): readonly unknown[] {
  if (Array.isArray(raw) && raw.length === length) return raw;
  const found = Array.isArray(raw) ? `has ${raw.length} entries` : `is ${shown(raw)}`;
  throw new LineProblem(
    `targets ${found}; it must be a list of ${length}, one entry for each step of inputs`,
  );
}

function matrixOf(name: string, rows: readonly unknown[]): Matrix {
  const values: number[] = [];
  let size = 0;
  for (const [step, row] of rows.entries()) {
    if (!Array.isArray(row) || row.length === 0 || (step > 0 && row.length !== size)) {
      const expected = step === 0 ? "values" : `${size} values, as in the first step`;
      throw new LineProblem(`${name}[${step}] is ${shown(row)}; it must be a list of ${expected}`);
    }
    size = row.length;
    for (const value of rowOf(`${name}[${step}]`, row).values) values.push(value);
  }
  return { size, values };
}

function rowOf(name: string, row: readonly unknown[]): Matrix {
  if (row.length === 0) throw new LineProblem(`${name} is empty; it must have a value`);
  const values = row.map((value, i) => {
    if (isFinite32(value)) return value;
    throw new LineProblem(
      `${name}[${i}] is ${shown(value)}; it must be a number from -3.4e38 to 3.4e38`,
    );
  });
  return { size: values.length, values };
}

function idsOf(name: string, raw: readonly unknown[], limit: number, besides?: number): number[] {
  return raw.map((id, i) => {
    if (isId(id, limit) || (besides !== undefined && id === besides)) return id;
    const or = besides === undefined ? "" : `, or ${besides} to be ignored`;
    throw new LineProblem(
      `${name}[${i}] is ${shown(id)}; it must be a whole number from 0 to ${limit - 1}${or}`,
    );
  });
}

function isId(value: unknown, limit: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit;
}
