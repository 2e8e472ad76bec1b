import type { Facts } from "../facts.js";

/** The run is complete, with the parameters of a run that nothing disturbed, and everybody is gone. */
export function ending({ events, ledger, expectedSha256, leftOver }: Facts): readonly string[] {
  const problems: string[] = [];
  const ended = events.find((event) => event.kind === "ended");
  if (ended?.outcome !== "completed") {
    problems.push(`the run ${ended?.outcome ?? "did not end"}: ${ended?.reason ?? ""}`);
  }
  const end = ledger.find((record) => record.type === "end");
  if (end !== undefined && end.parametersSha256 !== expectedSha256) {
    problems.push(
      `the final parameters are ${end.parametersSha256.slice(0, 12)}; without faults they are ` +
        expectedSha256.slice(0, 12),
    );
  }
  return [...problems, ...leftOver.map((what) => `still there after the end: ${what}`)];
}
