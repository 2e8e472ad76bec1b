import picomatch from "picomatch";

import { LstmError } from "../lstm-error.js";
import type { LstmErrorCode } from "../lstm-error.js";
import type { ParameterLayout, TensorLayout } from "./parameter-layout.js";

/**
 * The tensors of a layout whose names a glob pattern matches, such as `layers.*.kernel` or
 * `{embedding,head}.**`. A `*` stands for any characters, dots included.
 */
export function matchingTensors(layout: ParameterLayout, pattern: string): readonly TensorLayout[] {
  const matches = picomatch(pattern);
  return layout.tensors.filter(({ name }) => matches(name));
}

/**
 * As {@link matchingTensors}, for a pattern that a person gave in order to reach something.
 *
 * @param key the name of the key that the pattern stands in, for the message
 * @throws {LstmError} `code` for a pattern that no tensor has
 */
export function requireMatchingTensors(
  layout: ParameterLayout,
  pattern: string,
  { key, code }: { readonly key: string; readonly code: LstmErrorCode },
): readonly TensorLayout[] {
  const found = matchingTensors(layout, pattern);
  if (found.length > 0) return found;
  const names = layout.tensors.map(({ name }) => name).join(", ");
  throw new LstmError(
    code,
    `${key} is ${JSON.stringify(pattern)}; it must match a tensor: ${names}`,
  );
}
