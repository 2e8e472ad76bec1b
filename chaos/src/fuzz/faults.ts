import type { FuzzTarget } from "./fuzz-target.js";

/** What a parser did wrong, and with which input. */
export interface FuzzFault {
  /** In one line; the same for inputs that do the same wrong. */
  readonly what: string;
  readonly input: Uint8Array;
}

/** The error that a target threw, as a fault. */
export function describeFault(error: unknown, input: Uint8Array): FuzzFault {
  if (!(error instanceof Error)) return { what: `threw ${String(error)}`, input };
  const { name, message, stack = "" } = error;
  const place = /^ +at .*$/m
    .exec(stack)?.[0]
    .trim()
    .replace(/\(?file:\/\/.*\/((?:src|dist)\/)/, "($1");
  // Numbers and quoted values differ from input to input, what is wrong does not.
  const kind = message.replaceAll(/\s+/g, " ").replaceAll(/"(?:[^"\\]|\\.)*"?|\d+/g, "…");
  return { what: `${name}: ${kind.slice(0, 300)} ${place ?? ""}`, input };
}

/** @throws Error for a target whose own seeds are refused: nothing made out of them would be worth much */
export async function requireAccepted({ name, seeds, feed }: FuzzTarget): Promise<void> {
  for (const [n, seed] of seeds.entries()) {
    if (!(await feed(seed))) throw new Error(`${name}: seed ${n} is refused`);
  }
}
