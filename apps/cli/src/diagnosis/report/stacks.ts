/** The recurrent stacks of a model, each of which has time steps of its own. */

import type { Report } from "./report.js";

/** Of an encoder–decoder one of its two, in the order in which a gradient comes to them; else the only one. */
const STACKS = ["only", "decoder", "encoder"] as const;
export type Stack = (typeof STACKS)[number];

export interface StackWords {
  /** What it is called where there is more than one; undefined for the only one. */
  readonly name: string | undefined;
  /** What its distances in time are counted from. */
  readonly lastStep: string;
  /** Where the loss is that they are measured with. */
  readonly loss: string;
}

export const STACK_WORDS: Readonly<Record<Stack, StackWords>> = {
  only: {
    name: undefined,
    lastStep: "the last one",
    loss: "of a loss at the last step alone",
  },
  decoder: {
    name: "decoder",
    lastStep: "the target's end",
    loss: "of a loss at the target's end alone",
  },
  encoder: {
    name: "encoder",
    lastStep: "the source's last token",
    loss: "of the same loss, through the decoder",
  },
};

/** The stack that a layer such as `encoder.layers.0.forward` belongs to. */
export function stackOf({ name }: { readonly name: string }): Stack {
  return STACKS.find((stack) => name.startsWith(`${stack}.`)) ?? "only";
}

/** Those that have distances in time. */
export function stacksOf({ variants }: Report): readonly Stack[] {
  const found = new Set(
    variants.flatMap(({ start }) =>
      start.layers.filter(({ byDistance }) => byDistance !== undefined).map(stackOf),
    ),
  );
  return STACKS.filter((stack) => found.has(stack));
}
