import { describeFault } from "./faults.js";
import type { FuzzFault } from "./faults.js";
import type { FuzzTarget } from "./fuzz-target.js";

/** Inputs that are tried for one fault. */
const MAX_TRIES = 3000;

/** The same fault with an input that is as short as removing parts of it makes it. */
export async function minimise(target: FuzzTarget, fault: FuzzFault): Promise<FuzzFault> {
  let { input } = fault;
  let tries = 0;
  const fails = async (tried: Uint8Array): Promise<boolean> => {
    tries += 1;
    try {
      await target.feed(tried);
      return false;
    } catch (error) {
      return describeFault(error, tried).what === fault.what;
    }
  };
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let start = 0; start < input.length && tries < MAX_TRIES;) {
      const tried = without(input, start, start + size);
      if (await fails(tried)) input = tried;
      else start += size;
    }
  }
  return { ...fault, input };
}

function without(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const rest = new Uint8Array(Math.max(0, start + bytes.length - Math.min(end, bytes.length)));
  rest.set(bytes.subarray(0, start));
  rest.set(bytes.subarray(end), start);
  return rest;
}
