import type { PlayedSchedule } from "../conductor/index.js";
import { attribution } from "./checks/attribution.js";
import { bystanders } from "./checks/bystanders.js";
import { doubledWork } from "./checks/doubled-work.js";
import { ending } from "./checks/ending.js";
import { joiners } from "./checks/joiners.js";
import { ledger } from "./checks/ledger.js";
import { listeners } from "./checks/listeners.js";
import { lostWork } from "./checks/lost-work.js";
import { metrics } from "./checks/metrics.js";
import { observed } from "./checks/observed.js";
import { resources } from "./checks/resources.js";
import { waits } from "./checks/waits.js";
import { gatherFacts } from "./facts.js";
import type { Facts } from "./facts.js";
import { figuresOf, NO_FIGURES } from "./figures.js";
import type { Figures } from "./figures.js";

/** @returns a line for each thing that is not as promised */
type Check = (facts: Facts) => readonly string[];

const CHECKS = {
  ending,
  ledger,
  observed,
  attribution,
  lostWork,
  doubledWork,
  bystanders,
  joiners,
  listeners,
  waits,
  metrics,
  resources,
} as const satisfies Readonly<Record<string, Check>>;

export const CHECK_NAMES = Object.keys(CHECKS);

export interface Problem {
  readonly check: string;
  readonly text: string;
}

export interface Verdict {
  readonly problems: readonly Problem[];
  readonly figures: Figures;
  readonly lives: number;
  /** By step that was committed, in order: how many workers had a part in it. */
  readonly workersOfSteps: readonly number[];
}

export async function validate(
  played: PlayedSchedule,
  expected: { readonly parametersSha256: string },
): Promise<Verdict> {
  let facts: Facts;
  try {
    facts = await gatherFacts(played, expected.parametersSha256);
  } catch (error) {
    const ended = played.history.events.find((event) => event.kind === "ended");
    const text = `what the run left cannot be read: ${String(error)}; ${ended?.reason ?? ""}`;
    const problems = [{ check: "ledger", text }];
    return { problems, figures: NO_FIGURES, lives: 0, workersOfSteps: [] };
  }
  const problems = Object.entries<Check>(CHECKS).flatMap(([check, run]) =>
    run(facts).map((text): Problem => ({ check, text })),
  );
  const workersOfSteps = facts.ledger.flatMap((record) =>
    record.type === "step" ? [new Set(record.nodes.map(({ worker }) => worker)).size] : [],
  );
  const { lives } = facts;
  return { problems, figures: figuresOf(facts), lives: lives.length, workersOfSteps };
}
