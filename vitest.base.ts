import { defineConfig } from "vitest/config";
import type { ViteUserConfig } from "vitest/config";

/** One Vitest configuration for every package; a package states only what differs. */
export function projectConfig(options: { readonly timeoutMs?: number } = {}): ViteUserConfig {
  const conditions = ["@ostinato/source"];
  return defineConfig({
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      include: ["src/**/*.test.ts", "test/**/*.test.ts"],
      pool: "forks",
      maxWorkers: 1,
      testTimeout: options.timeoutMs ?? 20_000,
      hookTimeout: options.timeoutMs ?? 20_000,
    },
  });
}
