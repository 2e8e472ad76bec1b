import { z } from "zod";

import { key, names, positive, POSITIVE, withDefaultKind } from "../keys/index.js";

const KINDS = ["none", "globalNorm", "value", "layer", "adaptive"] as const;

const kindOf = <K extends (typeof KINDS)[number]>(kind: K): z.ZodLiteral<K> =>
  key(names(KINDS), z.literal(kind));

const maxNorm = key(POSITIVE, positive().default(1));

export const clippingSchema = withDefaultKind(
  "globalNorm",
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: kindOf("none") }).readonly(),
    /** torch.nn.utils.clip_grad_norm_ of all parameters (Pascanu et al., 2013) */
    z.strictObject({ kind: kindOf("globalNorm"), maxNorm }).readonly(),
    /** torch.nn.utils.clip_grad_value_ */
    z
      .strictObject({ kind: kindOf("value"), maxValue: key(POSITIVE, positive().default(1)) })
      .readonly(),
    /** torch.nn.utils.clip_grad_norm_ of each layer's parameters */
    z.strictObject({ kind: kindOf("layer"), maxNorm }).readonly(),
    /** Adaptive gradient clipping (Brock et al., 2021) */
    z
      .strictObject({
        kind: kindOf("adaptive"),
        /** λ: of a unit's gradient norm to the norm of its weights. */
        maxRatio: key(POSITIVE, positive().default(0.01)),
        /** What the norm of the weights counts for at least. */
        epsilon: key(POSITIVE, positive().default(1e-3)),
      })
      .readonly(),
  ]),
);

/** How a gradient is clipped, by its kind. */
export type ClippingSpec = z.output<typeof clippingSchema>;
