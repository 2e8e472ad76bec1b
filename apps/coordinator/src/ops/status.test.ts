import { describe, expect, it } from "vitest";
import { LeaseTable } from "../leases/index.js";
import { describeWait } from "./index.js";
import type { StatusSources } from "./index.js";

function sources(leases: LeaseTable, workers: StatusSources["workers"]): StatusSources {
  return {
    jobId: "job",
    incarnation: 1,
    state: "training",
    step: 811,
    totalSteps: 1000,
    epoch: 0,
    loss: 1,
    runDirectory: "runs/job",
    metricsAddress: "",
    deadlineMs: 10_000,
    workers,
    round: { kind: "train", step: 812, leases },
  };
}

const worker = { workerId: "worker-1-3", name: "node-b:77", state: "active" };

describe("describeWait", () => {
  it("says nothing while the step moves", () => {
    const leases = new LeaseTable(2, 1);
    leases.grant("worker-1-3", [0, 1], 0);
    expect(describeWait(sources(leases, [worker]), 900)).toBe("");
  });

  it("names worker, leaves, phase, how long and what happens next", () => {
    const leases = new LeaseTable(4, 1);
    const lease = leases.grant("worker-1-3", [1, 2, 3], 0);
    leases.complete([2]);
    leases.renew(lease.fence, 1000, "backward", 16);
    expect(describeWait(sources(leases, [worker]), 5100)).toBe(
      "step 812 waits on worker-1-3 (node-b:77), leaves 1, 3, phase backward: " +
        "nothing moved for 4.1 s; they are leased again in 5.9 s",
    );
  });

  it("says that no worker is here", () => {
    expect(describeWait(sources(new LeaseTable(2, 1), []), 0)).toBe(
      "step 812 waits for a worker: none is here; it goes on as soon as one joins",
    );
  });
});
