import { describe, expect, it } from "vitest";

import { describeMachine } from "./machine.js";
import type { MachineSource } from "./machine.js";

const GIB = 2 ** 30;

function machine(files: Readonly<Record<string, string>>, given: Partial<MachineSource> = {}) {
  return describeMachine({
    ...{ processor: " A  processor ", cores: 8, memoryBytes: 16 * GIB },
    ...{ freeMemoryBytes: GIB, constrainedMemoryBytes: 0 },
    readText: (path) => files[path],
    ...given,
  });
}

describe("describeMachine", () => {
  it("finds no limit where there is none", () => {
    expect(machine({})).toEqual({
      ...{ processor: "A processor", cores: 8, coreLimit: null },
      ...{ memoryBytes: 16 * GIB, memoryLimitBytes: null, freeMemoryBytes: GIB },
    });
    const unlimited = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" };
    expect(machine(unlimited, { constrainedMemoryBytes: 2 ** 64 })).toMatchObject({
      ...{ coreLimit: null, memoryLimitBytes: null },
    });
  });

  it("takes the tightest of the control groups around it (cgroup v2)", () => {
    const files = {
      "/proc/self/cgroup": "0::/pod/container\n",
      "/sys/fs/cgroup/pod/container/cpu.max": "400000 100000\n",
      "/sys/fs/cgroup/pod/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/cpu.max": "max 100000\n",
    };
    expect(machine(files, { constrainedMemoryBytes: 2 * GIB })).toMatchObject({
      ...{ coreLimit: 1.5, memoryLimitBytes: 2 * GIB },
    });
  });

  it("reads cgroup v1 too", () => {
    const files = {
      "/proc/self/cgroup": "5:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n",
      "/sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us": "50000\n",
      "/sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    };
    expect(machine(files).coreLimit).toBe(0.5);
  });
});
