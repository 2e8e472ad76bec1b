import { mergeConfig } from "vitest/config";

import { projectConfig } from "../vitest.base.ts";

export default mergeConfig(projectConfig({ timeoutMs: 120_000 }), {
  test: {
    globalSetup: ["test/support/build.ts"],
    // Half of the time goes into waiting for processes; Nx runs nothing else beside these.
    maxWorkers: 2,
  },
});
