import { mergeConfig } from "vitest/config";

import { projectConfig } from "../../vitest.base.ts";

/** The suites of flat arrays run twice: on the compiled loops, where they are, and on those in JavaScript. */
export default mergeConfig(projectConfig(), {
  test: {
    projects: [
      { extends: true, test: { name: "compiled" } },
      {
        extends: true,
        test: {
          name: "plain",
          setupFiles: ["test/support/plain-loops.ts"],
          exclude: ["src/{tensor,native-addon}/**", "src/flat/compiled-loops.test.ts", "test/**"],
        },
      },
    ],
  },
});
