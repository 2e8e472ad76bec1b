/** The gates of a run's steps, and what one leaves to the next. */

import { auditedLeaf } from "./audit-plan.js";
import type { AuditPlanOptions } from "./audit-plan.js";
import { Gate } from "./gate.js";
import type { GateEffects, GateModules } from "./gate-modules.js";
import { NormReference } from "./norm-reference.js";

export interface GatekeeperOptions {
  readonly audit: AuditPlanOptions;
  /** See `GateOptions`. */
  readonly tieMs: number;
}

export type GatekeeperModules = Omit<GateModules, "reference" | "effects">;

export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #modules: GatekeeperModules;
  readonly #reference = new NormReference();

  constructor(options: GatekeeperOptions, modules: GatekeeperModules) {
    this.#options = options;
    this.#modules = modules;
  }

  gateOf(step: number, effects: GateEffects): Gate {
    const { audit, tieMs } = this.#options;
    return new Gate(
      { step, tieMs, auditedLeaf: auditedLeaf(audit, step) },
      { ...this.#modules, reference: this.#reference, effects },
    );
  }
}
